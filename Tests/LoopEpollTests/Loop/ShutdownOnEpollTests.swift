import CTestSupport
import LoopCore
import LoopEpoll
import LoopSim
import Testing

@Suite("Shutdown over epoll") struct ShutdownOnEpollTests {
    @Test("A loop without time left takes every packet that lies ready, after whatever number of others", arguments: [0, 100, 255])
    func noTimeLeft(before: Int) throws {
        let left = try onThreadOfItsOwn { () -> Result<Int, any Error> in
            Result {
                var limits = Limits()
                limits.shutdownBoundNanoseconds = 0
                let loop = try EventLoop(port: EpollPort(), limits: limits)
                let ops = loop.operationsOnThisThread()
                let ends = Descriptors.socketPair()
                let handle = try ops.associate(ends.near)
                // So many packets are handed out before: the port asks the kernel when it has handed out enough.
                for _ in 0..<before {
                    _ = try ops.perform(on: handle) { op in
                        op.poll(.writable)
                    } completed: { id, _ in
                        try? ops.free(id)
                    }
                }
                while ops.metrics.operations.packets < before { loop.turn() }
                for _ in 0..<600 {
                    _ = try ops.perform(on: handle, capacity: 1) { op in
                        op.read()
                    } completed: { id, _ in
                        try? ops.free(id)
                    }
                }
                let report = loop.shutdown()
                return report.operations.count
            }
        }.get()
        #expect(left == 0)
    }
}
