/// One ``EventLoop/timeout(_:isolation:_:)`` under way: a deadline that every wait inside it looks at. It starts no task and sets no timer
/// of its own.
///
/// Children of the task inherit it. Made, read and written on the loop's thread alone.
final class TimeoutScope: Sendable {
    let loop: EventLoop
    let time: Duration
    let deadline: MonotonicInstant
    private let outer: TimeoutScope?
    private nonisolated(unsafe) var progress = TimeoutProgress.running

    // SAFETY: nobody else knows this value yet.
    init(_ loop: EventLoop, _ time: Duration, inside outer: TimeoutScope?) {
        self.loop = loop
        self.time = time
        self.outer = outer
        deadline = loop.core.port.now().advanced(by: time.wholeNanoseconds)
    }

    /// The scope whose deadline comes first, of this one and those around it that are still open; of equal ones the outermost.
    // SAFETY: on the loop's thread.
    var tightest: TimeoutScope? {
        let around = outer?.tightest
        if case .over = unsafe progress { return around }
        guard let around, around.deadline <= deadline else { return self }
        return around
    }

    /// A wait was ended by this scope's deadline.
    // SAFETY: on the loop's thread.
    func cut(_ what: WaitedFor) {
        if case .running = unsafe progress { unsafe progress = .cut(what) }
    }

    /// The function has returned: whoever inherited this scope is bound by it no longer. What the scope cut, if it did.
    // SAFETY: on the loop's thread.
    func end() -> WaitedFor? {
        defer { unsafe progress = .over }
        if case .cut(let what) = unsafe progress { return what }
        return nil
    }
}

/// A timeout around a wait, for as long as the wait: the task in which it is innermost keeps it, and a wait is in one task.
@safe @usableFromInline struct ScopeRef: Sendable {
    private let reference: Unmanaged<TimeoutScope>

    // SAFETY: see the type.
    init(_ scope: TimeoutScope) { unsafe reference = .passUnretained(scope) }

    // SAFETY: see the type.
    var scope: TimeoutScope { unsafe reference.takeUnretainedValue() }
}

/// How far a timeout has come.
private enum TimeoutProgress {
    case running
    /// The first wait that its deadline ended.
    case cut(WaitedFor)
    case over
}
