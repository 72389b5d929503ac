import Testing

@testable import LoopCore

@Suite("Awaiting a retire") struct AwaitRetireTests {
    @Test("The task goes on when the packets are in and the port has forgotten the handle") func inFlight() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let report = try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                let waiting = Task(executorPreference: loop) { await loop.end(of: id) }
                await Task.yield()
                let report = try await loop.operations.awaitRetire(handle)
                #expect(loop.isOnLoopThread)
                #expect(try loop.mock.journal.count("dissociate") == 1)
                #expect(await waiting.value == .success(.finished))
                return report
            }
            #expect(report == RetireReport(stuck: 0))
            #expect(!bench.ops.isAssociated(handle))
        }
    }

    @Test("A driver that keeps an operation is waited for until the grace, cancelled or not", arguments: [true, false])
    func stuck(isCancelled: Bool) throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = .stuck
            let (report, took) = try bench.loop.run { loop in
                _ = try loop.startRead(handle)
                let began = loop.now
                let closing = Task(executorPreference: loop) { await loop.retirement(of: handle) }
                await Task.yield()
                if isCancelled { closing.cancel() }
                return (await closing.value, loop.now.nanoseconds(since: began))
            }
            #expect(report == .success(RetireReport(stuck: 1)))
            #expect(took == Limits().cancelGraceNanoseconds)
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }

    @Test("A handle that is not associated any more is refused at once") func twice() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let second = bench.loop.run { loop in
                _ = await loop.retirement(of: handle)
                return await loop.retirement(of: handle)
            }
            #expect(second == .failure(.notAssociated))
        }
    }
}

extension EventLoop {
    fileprivate func retirement(of handle: AssociatedHandle) async -> Result<RetireReport, OperationError> {
        do throws(OperationError) { return .success(try await operations.awaitRetire(handle)) } catch { return .failure(error) }
    }
}
