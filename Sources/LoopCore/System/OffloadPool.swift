/// The threads that do what would block the loop, and the work that waits for them.
///
/// It belongs to the loop's thread, the queue too: a worker has one piece of work at a time, and its end reaches the loop by the mailbox.
/// So nothing here is locked, and work that waits is taken back by forgetting it.
final class OffloadPool {
    private struct Member {
        let worker: any SystemWorker
        var work: (any OffloadedWork)?
    }

    private var members: [Member] = []
    private var queue: [any OffloadedWork] = []
    private var isClosed = false
    private(set) var counts = OffloadCounts()

    /// Takes a piece of work, for a thread that is idle, for one that is started now, or for whichever is free first.
    func submit(_ work: any OffloadedWork, _ core: Core, _ loop: EventLoop) throws(OffloadRefusal) {
        guard !isClosed else { throw .closed }
        if let idle = members.firstIndex(where: { $0.work == nil }) { return start(work, on: idle, loop) }
        if members.count < core.limits.offloadThreadsMax {
            guard let system = core.port.system else { throw .notSupported }
            do throws(SystemRefusal) {
                members.append(Member(worker: try system.startWorker(named: OffloadPool.threadName), work: nil))
                return start(work, on: members.count - 1, loop)
            } catch {
                // With other threads about it only waits longer.
                if members.isEmpty { throw .noThread(error.code) }
            }
        }
        guard queue.count < core.limits.offloadQueueMax else { throw .queueFull(limit: core.limits.offloadQueueMax) }
        queue.append(work)
    }

    private static let threadName = "portloop-work"

    private func start(_ work: any OffloadedWork, on index: Int, _ loop: EventLoop) {
        members[index].work = work
        members[index].worker.run {
            work.perform()
            loop.post { loop in loop.core.offloadEnded(index, loop) }
        }
    }

    /// A worker is free: it gets the next piece of work. Answers what it has done.
    func ended(_ index: Int, _ loop: EventLoop) -> (any OffloadedWork)? {
        // The loop has ended: the members are gone, and nobody is told any more.
        guard !isClosed else { return nil }
        let work = members[index].work
        members[index].work = nil
        if !queue.isEmpty { start(queue.removeFirst(), on: index, loop) }
        return work
    }

    /// The caller has its result, or will never ask for it.
    func count(_ end: OffloadEnd) {
        switch end {
        case .taken: counts.taken += 1
        case .dropped: counts.dropped += 1
        case .abandoned: counts.abandoned += 1
        }
    }

    /// The caller has left.
    func leave(_ work: any OffloadedWork) {
        let isInTime = work.drop()
        count(isInTime ? .dropped : .abandoned)
        if isInTime { queue.removeAll { $0 === work } }
    }

    /// Ends the threads, and answers what those are doing that had to be left behind.
    func close(until bound: MonotonicInstant) -> [String] {
        isClosed = true
        queue = []
        for member in members { member.worker.stop() }
        let left = members.filter { !$0.worker.join(until: bound) }.map { $0.work?.name?.description ?? "without a name" }
        counts.threadsLeftBehind += left.count
        members = []
        return left
    }

    /// How things stand.
    var metrics: OffloadCounts {
        var counts = counts
        counts.threads = members.count
        counts.running = members.count { $0.work != nil }
        counts.queued = queue.count
        return counts
    }

    deinit { for member in members { member.worker.stop() } }
}

/// Why a piece of work was not taken.
enum OffloadRefusal: Error {
    case queueFull(limit: Int)
    case noThread(SystemCode)
    case notSupported
    case closed
}

/// What became of a piece of work.
enum OffloadEnd {
    case taken
    case dropped
    case abandoned
}

extension Core {
    /// A worker's thread has done its work.
    func offloadEnded(_ index: Int, _ loop: EventLoop) {
        if let work = offload.ended(index, loop) { wakeFirst(of: work.waiters) }
    }
}

/// What a loop has handed to other threads, now and ever (``EventLoop/offload(name:timeout:isolation:_:)``).
public struct OffloadCounts: Hashable, Sendable {
    /// Threads of the pool.
    public var threads = 0
    /// Threads that have something to do.
    public var running = 0
    /// Pieces of work that wait for a thread.
    public var queued = 0
    /// Pieces of work whose caller got what they came to.
    public var taken: UInt64 = 0
    /// Pieces of work whose caller left before a thread had begun them: none ever does.
    public var dropped: UInt64 = 0
    /// Pieces of work whose caller left after a thread had begun them: they go on to their end, and what they come to is dropped.
    public var abandoned: UInt64 = 0
    /// Threads that were still at work when the loop had ended, and were left behind.
    public var threadsLeftBehind = 0

    init() {}
}
