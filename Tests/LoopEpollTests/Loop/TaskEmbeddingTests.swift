import CLoopEpoll
import Glibc
import LoopCore
import LoopEpoll
import LoopSim
import Testing

/// Fibers in a loop that somebody else drives, and beside the executors that a program has anyway.
@Suite("Embedding, with tasks") struct TaskEmbeddingTests {
    @Test("A host that polls drives fibers that sleep, wait for operations and for each other") func foreignPollLoop() {
        let seen = onThreadOfItsOwn { () -> [String] in
            guard let loop = try? EventLoop(port: EpollPort()), let descriptor = loop.pollableHandle?.descriptor else { return [] }
            let ends = Descriptors.socketPair()
            let log = Log()
            let reader = loop.spawn { loop async in
                guard let handle = try? loop.operations.associate(ends.near) else { return }
                let count = (try? await loop.operations.perform(on: handle, capacity: 8) { op in op.read() })?.count
                log.add("read \(count ?? -1)")
                _ = try? await loop.operations.awaitRetire(handle)
            }
            loop.spawn { loop async in
                try? await loop.sleep(for: .milliseconds(5))
                log.add("slept")
                unsafe _ = write(ends.far.descriptor, [1, 2], 2)
                await reader.value
                log.add("joined")
            }
            while log.count < 3 {
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let (now, deadline) = (loop.now, loop.nextDeadline)
                let wait = deadline == .distantFuture ? 1_000 : (deadline.nanoseconds(since: now) + 999_999) / 1_000_000
                unsafe poll(&entry, 1, Int32(min(wait, 1_000)))
                loop.turn(.poll)
            }
            return loop.shutdown().isClean ? log.entries : ["not clean"]
        }
        #expect(seen == ["slept", "read 2", "joined"])
    }

    @Test("Fibers of two loops on two threads call each other's actors, each on its own thread") func twoLoops() {
        let total = onThreadOfItsOwn { () -> Int in
            let other = OtherLoop()
            other.start()
            guard let loop = try? EventLoop(port: EpollPort()), let remote = other.loop else { return 0 }
            let (here, there) = (Tally(loop), Tally(remote))
            let sum = loop.run { loop async in
                let far = remote.spawn { remote async in
                    for _ in 0..<500 { await here.add(1) }
                    return remote.isOnLoopThread
                }
                for _ in 0..<500 { await there.add(1) }
                guard loop.isOnLoopThread, await far.value else { return 0 }
                return await here.total + there.total
            }
            loop.shutdown()
            other.stop()
            return sum
        }
        #expect(total == 1_000)
    }

    @Test("The main actor and the default executor's tasks share actors with a loop, and each part runs where it belongs")
    @MainActor func besideDispatch() async {
        let other = OtherLoop()
        other.start()
        guard let loop = other.loop else {
            Issue.record("no loop")
            return
        }
        let tally = Tally(loop)
        await tally.add(1)
        MainActor.preconditionIsolated()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { await tally.add(1) } }
        }
        let seen = await loop.spawn { loop async -> Bool in
            let onMain = await onMainActor()
            return onMain && loop.isOnLoopThread
        }.value
        #expect(seen)
        #expect(await tally.total == 51)
        other.stop()
    }
}

@MainActor private func onMainActor() -> Bool {
    MainActor.preconditionIsolated()
    return true
}

/// A count that lives on a loop.
private actor Tally: OnLoop {
    nonisolated let loop: EventLoop
    private(set) var total = 0

    init(_ loop: EventLoop) { self.loop = loop }

    func add(_ count: Int) {
        preconditionIsolated()
        total += count
    }
}
