internal import _Concurrency

/// What waits to run, by priority: an urgent job overtakes, and starves nobody.
///
/// Three classes, because a program that needs more needs a scheduler of its own. Each class gives way to the next lower one after
/// ``streakMax`` of its jobs.
struct ReadyQueue: ~Copyable {
    private var usual = Ring<Ready>(capacity: 256)
    private var urgent = Ring<Ready>()
    private var patient = Ring<Ready>()
    /// Whether any job was not a usual one so far.
    private var hasPriorities = false
    private var urgentStreak = 0
    private var usualStreak = 0

    /// Jobs of a class that run before one of the next lower class does. 16: an urgent job waits for few, and the others keep a sixteenth.
    static let streakMax = 16

    var isEmpty: Bool { usual.isEmpty && urgent.isEmpty && patient.isEmpty }

    /// The job that comes next, as far as one of the usual ones does.
    var first: UnownedJob? {
        @inline(__always) get {
            guard !usual.isEmpty else { return nil }
            switch usual[0] {
            case .job(let job), .woken(let job, _): return job
            case .call: return nil
            }
        }
    }

    @inline(__always)
    mutating func append(_ next: consuming Ready) { usual.append(next) }

    /// Queues a job by its priority: above the default, the default or none, or one for work that nobody looks at.
    @inline(__always)
    mutating func append(_ job: UnownedJob) { append(.job(job), job.priority.rawValue) }

    /// Queues the next step of a task that has waited. It may have been escalated meanwhile, so it is asked for its priority, where there
    /// are any: to ask is 120 instructions (counted).
    @inline(__always)
    mutating func append(_ job: UnownedJob, _ wakeup: Wakeup) {
        if !hasPriorities { return usual.append(.woken(job, wakeup)) }
        appendByPriority(job, wakeup)
    }

    // SAFETY: a task that has a next step is alive.
    @inline(never)
    private mutating func appendByPriority(_ job: UnownedJob, _ wakeup: Wakeup) {
        append(.woken(job, wakeup), unsafe TaskIdentity(address: job.identity).priority.rawValue)
    }

    @inline(__always)
    private mutating func append(_ next: consuming Ready, _ priority: UInt8) {
        if priority > 21 { return appendUrgent(next) }
        if priority != 0, priority < 21 { return appendPatient(next) }
        usual.append(next)
    }

    private mutating func appendUrgent(_ next: consuming Ready) {
        hasPriorities = true
        urgent.append(next)
    }

    private mutating func appendPatient(_ next: consuming Ready) {
        hasPriorities = true
        patient.append(next)
    }

    @inline(__always)
    mutating func popFirst() -> Ready? {
        if urgent.isEmpty, patient.isEmpty { return usual.popFirst() }
        return popByPriority()
    }

    @inline(never)
    private mutating func popByPriority() -> Ready? {
        let lowerWaits = !usual.isEmpty || !patient.isEmpty
        if !urgent.isEmpty, urgentStreak < Self.streakMax || !lowerWaits {
            urgentStreak += 1
            return urgent.popFirst()
        }
        urgentStreak = 0
        if !usual.isEmpty, usualStreak < Self.streakMax || patient.isEmpty {
            usualStreak += 1
            return usual.popFirst()
        }
        usualStreak = 0
        return patient.popFirst()
    }
}
