internal import Synchronization

// The life of a piece of offloaded work:
//
//    waiting ──begin──► begun ──► finished ──► (its result is taken)
//       └──drop──► dropped          └────────► (nobody waits: dropped with its result)
//
//    waiting → begun      [perform, on a worker's thread]
//    waiting → dropped    [drop, on the loop's thread: its caller left in time]
//    begun   → finished   [perform; it reaches the loop by the mailbox]

/// A piece of work, as the pool sees it.
protocol OffloadedWork: AnyObject, Sendable {
    /// Who waits for it. On the loop's thread.
    var waiters: WaitList { get }
    var name: StaticString? { get }

    /// Does the work, unless it has been dropped. On a worker's thread.
    func perform()

    /// Nobody wants it any more. False if it has begun: then it ends by itself. On the loop's thread.
    func drop() -> Bool
}

/// A function that runs on another thread, and what it came to.
final class Offloaded<R: Sendable, E: Error>: OffloadedWork, Sendable {
    let name: StaticString?
    private let progress = Atomic<UInt8>(OffloadProgress.waiting.rawValue)
    // The worker's from `begun` to `finished`, the loop's before and after.
    private nonisolated(unsafe) var body: (@Sendable () throws(E) -> R)?
    private nonisolated(unsafe) var outcome: Result<R, E>?
    // The loop's.
    private nonisolated(unsafe) let list = WaitList()

    // SAFETY: nobody else knows this value yet.
    init(_ name: StaticString?, _ body: @escaping @Sendable () throws(E) -> R) {
        self.name = name
        unsafe self.body = body
    }

    // SAFETY: on the loop's thread.
    var waiters: WaitList { unsafe list }

    /// What it came to; nil until it has finished. On the loop's thread.
    // SAFETY: once it is `finished` the worker touches it no more.
    var result: Result<R, E>? {
        progress.load(ordering: .acquiring) == OffloadProgress.finished.rawValue ? unsafe outcome : nil
    }

    // SAFETY: the exchange makes both this thread's, up to the store.
    func perform() {
        guard move(from: .waiting, to: .begun), let body = unsafe body else { return }
        do throws(E) { unsafe outcome = .success(try body()) } catch { unsafe outcome = .failure(error) }
        // What it held goes on the thread it was for.
        unsafe self.body = nil
        progress.store(OffloadProgress.finished.rawValue, ordering: .releasing)
    }

    // SAFETY: nobody begins it any more.
    func drop() -> Bool {
        guard move(from: .waiting, to: .dropped) else { return false }
        unsafe body = nil
        return true
    }

    private func move(from: OffloadProgress, to: OffloadProgress) -> Bool {
        progress.compareExchange(expected: from.rawValue, desired: to.rawValue, ordering: .acquiringAndReleasing).exchanged
    }
}

/// How far a piece of work has come.
enum OffloadProgress: UInt8 {
    case waiting
    case begun
    case finished
    case dropped
}
