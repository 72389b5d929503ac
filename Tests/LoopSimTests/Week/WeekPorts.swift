import LoopCore
import LoopSim
import Synchronization

/// Tells when the loop is about to sleep: then nothing of its own waits to run.
final class RestingPort: ForwardingPort {
    let inner: any CompletionPort
    var isAboutToSleep: () -> Void = {}

    init(_ inner: any CompletionPort) { self.inner = inner }

    // SAFETY: forwarded as it came.
    func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        if sleeps(bound) { isAboutToSleep() }
        return unsafe inner.wait(into: batch, for: bound)
    }

    private func sleeps(_ bound: WaitBound) -> Bool {
        switch bound {
        case .poll: false
        // Some of the timers that are due may be left to the next turn.
        case .until(let instant): instant > inner.now()
        case .forever: true
        }
    }

    /// A fiber of a week throws nothing, so nothing is reported; but by the slip that wants to be seen.
    func report(_ sentence: String) {}
}

/// The chain of ports of a week. A lying port is not checked for its lies: the fibers have to notice.
struct WeekPorts {
    let rest: RestingPort

    // SAFETY: every part is made, used and dropped on the thread of the week.
    init(_ port: SimulatedPort, _ bug: KernelBug?, seed: UInt64, _ news: News) {
        nonisolated(unsafe) var below: any CompletionPort = port
        if let bug {
            unsafe below = MutantPort(port, bug, seed: seed)
        } else {
            unsafe below = CheckedPort(unsafe below) { news.add($0) }
        }
        rest = RestingPort(unsafe below)
    }

    // SAFETY: as above.
    func makeLoop(_ limits: Limits) -> EventLoop {
        nonisolated(unsafe) let port: any CompletionPort = rest
        return EventLoop(port: unsafe port, limits: limits)
    }
}

/// Takes breaches of the port's contract to the week, which is there only after its ports.
final class News {
    weak var week: Week?

    func add(_ breach: ContractBreach) { week?.fail(breach.description) }
}

/// How many witnesses there are.
final class WitnessCount: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    fileprivate func add(_ number: Int) { count.add(number, ordering: .relaxed) }
}

/// Goes with what is kept for a fiber, or sent: what is left of it is left of that.
final class Witness: Sendable {
    private let count: WitnessCount

    init(_ count: WitnessCount) {
        self.count = count
        count.add(1)
    }

    func stay() {}

    deinit { count.add(-1) }
}

/// What is sent through the channels of a week.
struct WeekElement: Sendable {
    let number: Int
    let sender: Int
    let witness: Witness
}
