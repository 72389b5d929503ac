import Testing

@testable import LoopCore

@Suite("Misuse of locks, permits and channels, which ends the process with a sentence") struct SyncMisuseTests {
    @Test("A lock taken twice by one task") func twice() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Bench(Limits()).loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                try await mutex.withLock { try await mutex.withLock {} }
            }
        }
        expectSentence("A task locked an AsyncMutex that it holds already", in: result)
    }

    @Test("A lock taken twice by one task that had to wait for it") func twiceAfterWaiting() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Bench(Limits()).loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                try await mutex.lock()
                loop.spawn { _ in try await mutex.withLock { _ = await mutex.tryLock() } }
                await pause(loop)
                mutex.unlock()
            }
        }
        expectSentence("A task locked an AsyncMutex that it holds already", in: result)
    }

    @Test("An unlock of what is not locked") func unlocked() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Bench(Limits()).loop.run { loop async in AsyncMutex(on: loop).unlock() }
        }
        expectSentence("An AsyncMutex was unlocked that nobody had locked.", in: result)
    }

    @Test("An unlock by another task than the one that locked") func otherTask() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Bench(Limits()).loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                try await mutex.lock()
                await loop.spawn { _ in mutex.unlock() }.value
            }
        }
        expectSentence("unlocked by another task than the one that holds it.", in: result)
    }

    @Test("A wait for a condition without the lock") func withoutLock() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Bench(Limits()).loop.run { loop in try await Condition(on: loop).wait(for: AsyncMutex(on: loop)) }
        }
        expectSentence("An AsyncMutex was unlocked that nobody had locked.", in: result)
    }

    @Test("A wait for a condition with the lock of another loop") func otherLoop() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let other = AsyncMutex(on: try Bench(Limits()).loop)
            try Bench(Limits()).loop.run { loop in try await Condition(on: loop).wait(for: other) }
        }
        expectSentence("A Condition was waited for with the AsyncMutex of another loop.", in: result)
    }

    @Test("Less than no permits") func permits() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Semaphore(on: try Bench(Limits()).loop, permits: -1)
        }
        expectSentence("A Semaphore begins with no permits at least, not with -1.", in: result)
    }

    @Test("A channel without room") func capacity() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Channel<Int>(on: try Bench(Limits()).loop, capacity: 0)
        }
        expectSentence("A Channel has room for one element at least, not for 0.", in: result)
    }

    @Test("A fiber that joins itself") func selfJoin() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let bench = try Bench(Limits())
            let handover = Channel<Fiber<Void, Never>>(on: bench.loop, capacity: 1)
            let fiber = bench.loop.spawn { _ in _ = try? await handover.receive()?.join() }
            #expect(handover.trySend(fiber) == .sent)
            bench.settle()
        }
        expectSentence("A fiber joined itself: it would wait for its own end for ever.", in: result)
    }
}
