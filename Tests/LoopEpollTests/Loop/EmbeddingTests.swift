import CLoopEpoll
import Glibc
import LoopCore
import LoopEpoll
import LoopSim
import Testing

/// The loop inside somebody else's: a host that polls descriptors and calls `turn(.poll)`.
@Suite("Embedding") struct EmbeddingTests {
    @Test("A host that polls the loop's descriptor and its deadline drives operations, timers and posts") func foreignPollLoop() {
        let seen = onThreadOfItsOwn { () -> [String] in
            guard let loop = try? EventLoop(port: EpollPort()), let descriptor = loop.pollableHandle?.descriptor else { return [] }
            let ops = loop.operationsOnThisThread()
            let ends = Descriptors.socketPair()
            let log = Log()
            guard let handle = try? ops.associate(ends.near) else { return [] }
            _ = try? ops.perform(on: handle, capacity: 8) {
                $0.read()
            } completed: { id, _ in
                log.add("read")
                try? ops.free(id)
            }
            ops.call(after: .milliseconds(20)) { log.add("timer") }
            loop.turn(.poll)
            unsafe _ = write(ends.far.descriptor, [1], 1)
            let poster = Poster(loop, log)
            poster.start()
            while log.count < 3 {
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let now = loop.now
                let deadline = loop.nextDeadline
                let wait = deadline == .distantFuture ? 1_000 : (deadline.nanoseconds(since: now) + 999_999) / 1_000_000
                unsafe poll(&entry, 1, Int32(min(wait, 1_000)))
                loop.turn(.poll)
            }
            poster.join()
            loop.shutdown()
            return log.entries
        }
        #expect(Set(seen) == ["read", "timer", "post"])
    }

    @Test("A host that calls turn once a frame never blocks in it") func framePerFrame() {
        let frames = onThreadOfItsOwn { () -> Int in
            guard let loop = try? EventLoop(port: EpollPort()) else { return 0 }
            let ops = loop.operationsOnThisThread()
            let handle = try? ops.associate(Descriptors.socketPair().near)
            guard let handle else { return 0 }
            _ = try? ops.perform(on: handle, capacity: 8) {
                $0.read()
            } completed: { id, _ in
                try? ops.free(id)
            }
            var frames = 0
            for _ in 0..<100 {
                loop.turn(.poll)
                frames += 1
            }
            let waits = ops.metrics.port.blockingWaits
            loop.shutdown()
            return waits == 0 ? frames : -1
        }
        #expect(frames == 100)
    }

    @Test("Two loops on two threads hand work to and fro") func twoLoops() {
        let rounds = onThreadOfItsOwn { () -> Int in
            guard let loop = try? EventLoop(port: EpollPort()) else { return 0 }
            let log = Log()
            let other = OtherLoop()
            other.start()
            for _ in 0..<200 {
                let expected = log.count + 1
                other.loop?.post { _ in loop.post { _ in log.add("back") } }
                while log.count < expected { loop.turn() }
            }
            other.stop()
            loop.shutdown()
            return log.count
        }
        #expect(rounds == 200)
    }
}

/// What happened, in order. One thread writes it.
final class Log: Sendable {
    private nonisolated(unsafe) var stored: [String] = []

    // SAFETY: the loop's thread alone.
    var entries: [String] { unsafe stored }
    // SAFETY: as above.
    var count: Int { unsafe stored.count }
    // SAFETY: as above.
    func add(_ entry: String) { unsafe stored.append(entry) }
}

/// A thread that posts once.
private final class Poster {
    private let loop: EventLoop
    private let log: Log
    private let thread = OwnedThread()

    init(_ loop: EventLoop, _ log: Log) {
        self.loop = loop
        self.log = log
    }

    func start() { thread.start { [loop, log] in loop.post { _ in log.add("post") } } }

    func join() { thread.join() }
}
