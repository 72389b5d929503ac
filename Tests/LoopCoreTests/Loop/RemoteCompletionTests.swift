import Testing

@testable import LoopCore

@Suite("Completions from elsewhere") struct RemoteCompletionTests {
    @Test("One from another thread wakes the loop and completes the operation on its thread") func elsewhere() throws {
        try Bench.run { bench in
            let (handle, loop) = (try bench.associate(), bench.loop)
            var end: WaitEnd?
            let id = try bench.ops.perform(on: handle) { op in
                op.remote { remote in bench.port.asleep = { RealThread.elsewhere { remote.complete(count: 5) } } }
            } completed: {
                #expect(loop.isOnLoopThread)
                end = $1
            }
            loop.turn()
            bench.port.asleep = {}
            bench.settle()
            #expect(end == .finished)
            #expect(try bench.ops.result(id).count == 5)
            #expect(bench.ops.metrics.wakeUps == 1)
        }
    }

    @Test("Only the first of many completions counts, from whichever thread") func once() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let id = try bench.ops.perform(on: handle) { op in
                op.remote { remote in
                    RealThread.crowd(4) { number in remote.complete(count: number + 1) }
                    remote.complete(count: 99)
                }
            } completed: { _, _ in
            }
            bench.settle()
            #expect((1...4).contains(try bench.ops.result(id).count))
            #expect(bench.port.journal.count("post") == 1)
            #expect(bench.ops.metrics.operations.stalePackets == 0)
        }
    }

    @Test("An error is an error of the packet") func failure() throws {
        try Bench.run { bench in
            let id = try bench.ops.perform(on: bench.associate()) { op in
                op.remote { $0.complete(count: 2, error: SystemCode(rawValue: 7)) }
            } completed: { _, _ in
            }
            bench.settle()
            let completion = try bench.ops.result(id).completion
            #expect(completion.error == SystemCode(rawValue: 7) && completion.severity == .error && completion.count == 2)
        }
    }

    @Test("One that is dropped unused ends the operation as aborted") func dropped() throws {
        try Bench.run { bench in
            let id = try bench.ops.perform(on: bench.associate()) { op in
                op.remote { _ in }
            } completed: { _, _ in
            }
            bench.settle()
            #expect(try bench.ops.result(id).completion == MockPort.aborted)
        }
    }

    @Test("A wait that a cancel ends is no request to the port, and what completes it later is no stale id") func cancelled() throws {
        try Bench.run { bench in
            var remotes: [RemoteCompletion] = []
            let id = try bench.ops.perform(on: bench.associate()) { op in
                op.remote(whenCancelled: .ends) { remotes.append($0) }
            } completed: { _, _ in
            }
            #expect(try bench.ops.cancel(id))
            #expect(try !bench.ops.cancel(id))
            bench.settle()
            #expect(try bench.ops.result(id).completion == MockPort.aborted)
            RealThread.elsewhere { [remote = remotes.removeFirst()] in remote.complete(count: 1) }
            bench.settle()
            #expect(bench.port.journal.count("cancel") == 0 && bench.port.journal.count("post") == 1)
            #expect(bench.ops.metrics.operations.staleIDs == 0)
        }
    }

    @Test("A completion and a cancel of the same turn are one packet", arguments: [true, false])
    func bothAtOnce(isCancelFirst: Bool) throws {
        try Bench.run { bench in
            var remotes: [RemoteCompletion] = []
            let id = try bench.ops.perform(on: bench.associate()) { op in
                op.remote(whenCancelled: .ends) { remotes.append($0) }
            } completed: { _, _ in
            }
            if isCancelFirst { _ = try bench.ops.cancel(id) }
            remotes[0].complete(count: 3)
            if !isCancelFirst { bench.ops.cancelWait(id) }
            bench.settle()
            #expect(try bench.ops.result(id).completion == (isCancelFirst ? MockPort.aborted : Completion(count: 3)))
            #expect(bench.port.journal.count("post") == 1)
            #expect(bench.ops.metrics.operations.stalePackets == 0)
        }
    }

    @Test("The next operation of a record is asked of the port again") func recycled() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            for _ in 0..<2 {
                let wait = try bench.ops.perform(on: handle) { op in
                    op.remote(whenCancelled: .ends) { _ in }
                } completed: { _, _ in
                }
                bench.settle()
                try bench.ops.free(wait)
                let read = try bench.read(handle, capacity: 0)
                #expect(try bench.ops.cancel(read))
                bench.settle()
                try bench.ops.free(read)
            }
            #expect(bench.port.journal.count("cancel") == 2)
        }
    }

    @Test("One that comes for an operation that was given up on brings back its memory") func orphan() throws {
        try Bench.run { bench in
            var remotes: [RemoteCompletion] = []
            bench.port.driver = .stuck
            let id = try bench.ops.perform(on: bench.associate(), timeout: .zero) { op in
                op.remote { remotes.append($0) }
            } completed: { _, _ in
            }
            bench.turnPast(Limits().cancelGraceNanoseconds)
            #expect(try bench.ops.state(id) == .orphaned)
            remotes[0].complete()
            bench.settle()
            #expect(bench.ops.metrics.operations.orphansReturned == 1)
        }
    }

    @Test("One that comes after the loop has ended touches the closed port no more") func afterShutdown() throws {
        let bench = try Bench(Limits())
        var remotes: [RemoteCompletion] = []
        bench.port.driver = .stuck
        try bench.ops.perform(on: bench.associate()) { op in
            op.remote { remotes.append($0) }
        } completed: { _, _ in
        }
        bench.loop.shutdown()
        #expect(bench.port.isClosed)
        let remote = remotes.removeFirst()
        RealThread.elsewhere { remote.complete() }
        #expect(bench.port.journal.count("post after close") == 0)
    }
}
