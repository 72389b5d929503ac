import CLoopEpoll
import Glibc
import LoopCore
import LoopEpoll
import Testing

/// Both ways in which a port bounds a wait.
enum Kernel: CaseIterable, Sendable {
    case withNanoseconds
    case withoutNanoseconds

    func bench() throws -> PortBench { try PortBench(lacksNanosecondWait: self == .withoutNanoseconds) }
}

@Suite("EpollPort: waiting", .ownDescriptors) struct WaitTests {
    @Test("A bounded wait is never over before its bound, and soon after it", arguments: Kernel.allCases)
    func bounds(_ kernel: Kernel) throws {
        let bench = try kernel.bench()
        for microseconds in [UInt64(1), 50, 300, 999, 1500, 20_000] {
            let bound = bench.port.now().nanoseconds + microseconds * 1000
            var returns = 0
            while bench.port.now().nanoseconds < bound {
                #expect(bench.wait(.until(MonotonicInstant(nanoseconds: bound))).isEmpty)
                returns += 1
            }
            #expect(returns <= 3, "a wait that is over early is made again: \(returns) times")
        }
        bench.end()
    }

    @Test("A bound that has passed does not block, and neither does a poll", arguments: Kernel.allCases)
    func pastBound(_ kernel: Kernel) throws {
        let bench = try kernel.bench()
        #expect(bench.wait(.until(MonotonicInstant(nanoseconds: 0))).isEmpty)
        #expect(bench.wait(.until(bench.port.now())).isEmpty)
        #expect(bench.wait(.poll).isEmpty)
        bench.end()
    }

    @Test("A bound that never comes is waited for like any other", arguments: Kernel.allCases)
    func distantBound(_ kernel: Kernel) throws {
        let bench = try kernel.bench()
        for bound in [MonotonicInstant.distantFuture, MonotonicInstant(nanoseconds: 1 << 62)] {
            let waker = bench.port.waker
            let turns = Turns()
            let thread = Helper {
                turns.advance()
                _ = waker.wake()
            }
            while turns.count == 0 {}
            #expect(bench.wait(.until(bound)).isEmpty)
            thread.join()
            _ = bench.wait(.poll)
        }
        bench.end()
    }

    @Test("An event ends a bounded wait, and its bound does not end a later one", arguments: Kernel.allCases)
    func eventFirst(_ kernel: Kernel) throws {
        let bench = try kernel.bench()
        let ends = Carrier.pipe.open()
        let near = try bench.associate(ends.near)
        let read = Lent(capacity: 4)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.far.write([1])
        let soon = MonotonicInstant(nanoseconds: bench.port.now().nanoseconds + 30_000_000)
        #expect(bench.wait(.until(soon)).count == 1)

        let waker = bench.port.waker
        let thread = Helper {
            while clock() < soon.nanoseconds + 30_000_000 {}
            _ = waker.wake()
        }
        #expect(bench.wait(.forever).isEmpty)
        #expect(bench.port.now().nanoseconds >= soon.nanoseconds + 30_000_000, "the bound of the earlier wait does not end this one")
        thread.join()
        bench.end()
    }

    @Test("A wake from another thread ends a wait, before it has begun or after, and none is lost")
    func wakes() throws {
        let bench = try PortBench()
        let waker = bench.port.waker
        #expect(waker.wake())
        #expect(bench.wait(.forever).isEmpty, "a wake that comes first is kept")
        let rounds = 500
        let turns = Turns()
        let thread = Helper {
            for round in 1...rounds {
                _ = waker.wake()
                while turns.count < round {}
            }
        }
        for _ in 0..<rounds {
            #expect(bench.wait(.forever).isEmpty)
            turns.advance()
        }
        thread.join()
        bench.end()
    }

    @Test("Wakes merge: many of them end one wait, and the next one blocks")
    func mergedWakes() throws {
        let bench = try PortBench()
        for _ in 0..<1000 { #expect(bench.port.waker.wake()) }
        #expect(bench.wait(.forever).isEmpty)
        let bound = MonotonicInstant(nanoseconds: bench.port.now().nanoseconds + 2_000_000)
        #expect(bench.wait(.until(bound)).isEmpty)
        #expect(bench.port.now() >= bound)
        bench.end()
    }

    @Test("A wake after the port is gone is harmless, and the thread's number is its own")
    func orphanedWaker() throws {
        var bench: PortBench? = try PortBench()
        let waker = bench?.port.waker
        let own = waker?.currentThread()
        let thread = Helper { #expect(waker?.currentThread() != own && waker?.wake() == true) }
        thread.join()
        bench?.end()
        bench = nil
        #expect(waker?.wake() == true)
        #expect(own != 0)
    }

    @Test("Posted packets come in order, each once, with what was posted")
    func posts() throws {
        let bench = try PortBench(batchSize: 7)
        let lents = (0..<100).map { _ in Lent(capacity: 0) }
        for (index, lent) in lents.enumerated() { bench.post(lent, Completion(count: index, error: .number(5), severity: .warning)) }
        #expect(bench.port.nextDeadline == MonotonicInstant(nanoseconds: 0))
        let found = bench.packets(100)
        #expect(found.map(\.lent.address) == lents.map(\.address))
        #expect(found.map(\.completion.count) == Array(0..<100))
        #expect(found.allSatisfy { $0.completion.error == .number(5) })
        #expect(bench.port.nextDeadline == nil)
        bench.end()
    }

    @Test("Finished packets are handed out without asking the kernel, but not for ever")
    func fairness() throws {
        let bench = try PortBench()
        let ends = Carrier.pipe.open()
        let near = try bench.associate(ends.near)
        let read = Lent(capacity: 4)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.far.write([1])
        let waits = bench.port.portMetrics.kernelWaits
        var handedOut = 0
        var isFound = false
        let lents = (0..<64).map { _ in Lent(capacity: 0) }
        while !isFound, handedOut < 10_000 {
            for lent in lents { bench.post(lent, Completion(count: 0)) }
            let found = bench.wait(.forever)
            handedOut += found.count
            if handedOut <= 256 { #expect(bench.port.portMetrics.kernelWaits == waits) }
            isFound = found.contains { $0.lent === read }
            while bench.owedCount > (isFound ? 0 : 1) {
                let more = bench.wait(.forever)
                handedOut += more.count
                isFound = isFound || more.contains { $0.lent === read }
            }
        }
        #expect(isFound)
        #expect(handedOut < 600, "the read came after \(handedOut) packets that were always there")
        bench.end()
    }

    @Test("More packets than the batch has room for stay queued")
    func smallBatch() throws {
        let bench = try PortBench(batchSize: 2)
        let near = try (0..<5).map { _ in
            let ends = Carrier.unixStream.open()
            ends.far.write([1])
            return try bench.associate(ends.near)
        }
        for handle in near { bench.start(Lent(capacity: 4), on: handle) { $0.read($1, at: nil) } }
        #expect([bench.wait(.forever), bench.wait(.forever), bench.wait(.forever)].map(\.count) == [2, 2, 1])
        bench.end()
    }

    @Test("A batch with room left means that nothing more was finished")
    func shortBatch() throws {
        let bench = try PortBench(batchSize: 256)
        for count in [100, 300, 255, 600] {
            for _ in 0..<count { bench.post(Lent(capacity: 0), Completion(count: 0)) }
            var left = count
            while left > 0 {
                let found = bench.wait(.forever).count
                #expect(found == min(left, 256))
                left -= found
            }
        }
        bench.end()
    }

    @Test("An idle port blocks, and asks the kernel once for it")
    func idle() throws {
        let bench = try PortBench()
        let ends = Carrier.tcp.open()
        let near = try bench.associate(ends.near)
        let read = Lent(capacity: 4)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        let before = bench.port.portMetrics
        #expect(bench.wait(.until(MonotonicInstant(nanoseconds: bench.port.now().nanoseconds + 5_000_000))).isEmpty)
        #expect(bench.port.portMetrics.kernelWaits == before.kernelWaits + 1)
        #expect(bench.port.portMetrics.blockingWaits == before.blockingWaits + 1)
        #expect(bench.cancel(read) == .requested)
        #expect(bench.packet(of: read) == .cancelled)
        bench.end()
    }

    @Test("The pollable descriptor is readable when there is an event, and not before")
    func pollable() throws {
        let bench = try PortBench()
        let ends = Carrier.pipe.open()
        let near = try bench.associate(ends.near)
        let read = Lent(capacity: 4)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        let handle = try #require(bench.port.pollableHandle)
        #expect(portloop_poll_now(Int32(handle.rawValue), POLLIN) == 0)
        ends.far.write([1])
        #expect(portloop_poll_now(Int32(handle.rawValue), POLLIN) == POLLIN)
        #expect(bench.packet(of: read).count == 1)
        #expect(portloop_poll_now(Int32(handle.rawValue), POLLIN) == 0)
        #expect(bench.port.waker.wake())
        #expect(portloop_poll_now(Int32(handle.rawValue), POLLIN) == POLLIN)
        bench.end()
    }

    @Test("The thread that used a port has its signal mask back when the port is closed")
    func signalMask() throws {
        portloop_unblock_broken_pipe()
        let bench = try PortBench()
        #expect(!isBrokenPipeBlocked())
        _ = try bench.associate(Carrier.pipe.open().near)
        #expect(isBrokenPipeBlocked())
        bench.end()
        #expect(!isBrokenPipeBlocked())
    }

    @Test("A code of zero from an adapter's own call owes a packet, any other is the call's refusal")
    func classify() throws {
        let bench = try PortBench()
        #expect(bench.port.classify(0) == .owesPacket)
        #expect(bench.port.classify(EINVAL) == .refused(.number(EINVAL)))
        bench.end()
    }
}

private func isBrokenPipeBlocked() -> Bool {
    var mask = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
    return unsafe sigismember(&mask, SIGPIPE) == 1
}
