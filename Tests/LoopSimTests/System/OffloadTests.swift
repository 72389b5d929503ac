import LoopCore
import LoopSim
import Synchronization
import Testing

@Suite("Offloaded work, simulated") struct OffloadTests {
    @Test("What the function returns comes back, after the time that it takes") func value() throws {
        let rig = Rig()
        rig.port.simulatedSystem.threads.spreadNanoseconds = 0
        let (value, took) = try rig.loop.run { loop in
            let began = loop.now
            let value = try await loop.offload { 6 * 7 }
            return (value, loop.now.nanoseconds(since: began))
        }
        #expect(value == 42)
        #expect(took == 1_000_000)
        #expect(rig.ops.metrics.offload.taken == 1)
        rig.end()
    }

    @Test("What it throws comes back as its own error") func failure() {
        let rig = Rig()
        let error = rig.loop.run { loop async -> OffloadError<OperationError>? in
            do throws(OffloadError<OperationError>) {
                try await loop.offload { () throws(OperationError) in throw .stuck }
                return nil
            } catch {
                return error
            }
        }
        #expect(error == .failed(.stuck))
        rig.end()
    }

    @Test("No more run at once than there may be threads, and the others wait their turn") func threads() throws {
        var limits = Limits()
        limits.offloadThreadsMax = 2
        let rig = Rig(limits: limits)
        rig.port.simulatedSystem.threads.spreadNanoseconds = 0
        let order = Order()
        let began = rig.loop.now
        rig.loop.run { loop async in
            for place in 0..<6 { loop.spawn { loop async in try? await loop.offload { order.add(place) } } }
            await Task.yield()
            #expect(loop.metrics.offload.threads == 2)
            #expect(loop.metrics.offload.running == 2)
            #expect(loop.metrics.offload.queued == 4)
        }
        #expect(order.places == [0, 1, 2, 3, 4, 5])
        #expect(rig.loop.now.nanoseconds(since: began) == 3_000_000)
        rig.end()
    }

    @Test("A full queue refuses at once") func queueFull() {
        var limits = Limits()
        limits.offloadThreadsMax = 1
        limits.offloadQueueMax = 1
        let rig = Rig(limits: limits)
        let error = rig.loop.run { loop async -> OffloadError<Never>? in
            for _ in 0..<2 { loop.spawn { loop async in try? await loop.offload {} } }
            await Task.yield()
            do throws(OffloadError<Never>) { try await loop.offload {} } catch { return error }
            return nil
        }
        #expect(error == .queueFull(limit: 1))
        rig.end()
    }

    @Test("Work that no thread has begun is never done when its caller is cancelled, and makes room") func cancelledWaiting() {
        var limits = Limits()
        limits.offloadThreadsMax = 1
        let rig = Rig(limits: limits)
        let order = Order()
        let error = rig.loop.run { loop async -> OffloadError<Never>? in
            loop.spawn { loop async in try? await loop.offload { order.add(1) } }
            let second = loop.spawn { loop async -> OffloadError<Never>? in
                do throws(OffloadError<Never>) { try await loop.offload { order.add(2) } } catch { return error }
                return nil
            }
            await Task.yield()
            second.cancel()
            let error = await second.value
            #expect(loop.metrics.offload.queued == 0)
            return error
        }
        #expect(error == .cancelled)
        #expect(order.places == [1])
        #expect(rig.ops.metrics.offload.dropped == 1)
        rig.end()
    }

    @Test("Work that is under way goes on when the time is up, and what it came to is dropped") func timedOut() {
        let rig = Rig()
        rig.port.simulatedSystem.threads.delayNanoseconds = 50_000_000
        let took = rig.loop.run { loop async -> UInt64 in
            let began = loop.now
            do throws(OffloadError<Never>) {
                try await loop.offload(timeout: .milliseconds(5)) {}
            } catch {
                #expect(error == .timedOut)
            }
            return loop.now.nanoseconds(since: began)
        }
        #expect(took == 5_000_000)
        #expect(rig.ops.metrics.offload.running == 1)
        // A thread that is not waited for is free again when it is done.
        rig.turn { rig.ops.metrics.offload.running == 0 }
        rig.end()
    }

    @Test("A timeout around it is its own where it comes first, and says what was waited for") func timeoutScope() {
        let rig = Rig()
        rig.port.simulatedSystem.threads.delayNanoseconds = 50_000_000
        let what = rig.loop.run { loop async -> WaitedFor? in
            do {
                try await loop.timeout(.milliseconds(5)) { try await loop.offload {} }
                return nil
            } catch {
                return (error as? TimeoutError)?.waitedFor
            }
        }
        #expect(what == .offload)
        rig.turn { rig.ops.metrics.offload.running == 0 }
        rig.end()
    }

    @Test("A task that is cancelled already hands nothing over") func cancelledBefore() {
        let rig = Rig()
        let order = Order()
        rig.loop.run { loop async in
            let fiber = loop.spawn { loop async in
                while !Task.isCancelled { await Task.yield() }
                try? await loop.offload { order.add(1) }
            }
            await Task.yield()
            fiber.cancel()
        }
        #expect(order.places.isEmpty)
        #expect(rig.ops.metrics.offload.threads == 0)
        rig.end()
    }

    @Test("Where the system starts no thread this is said, with its code") func noThread() {
        let rig = Rig()
        rig.port.simulatedSystem.threads.refusal = SystemCode(rawValue: 11)
        let error = rig.loop.run { loop async -> OffloadError<Never>? in
            do throws(OffloadError<Never>) { try await loop.offload {} } catch { return error }
            return nil
        }
        #expect(error == .noThread(SystemCode(rawValue: 11)))
        rig.end()
    }

    @Test("A thread that is still at work when the loop has ended is left behind, and named") func leftBehind() {
        let rig = Rig()
        rig.port.simulatedSystem.threads.delayNanoseconds = 60_000_000_000
        rig.loop.run { loop async in
            try? await loop.offload(name: "the long one", timeout: .milliseconds(1)) {}
        }
        let report = rig.loop.shutdown()
        #expect(report.threads == ["the long one"])
        #expect(!report.isClean)
        #expect(rig.ops.metrics.offload.threadsLeftBehind == 1)
    }

    @Test("A caller is told when the loop ends") func shutdown() {
        let rig = Rig()
        rig.port.simulatedSystem.threads.delayNanoseconds = 50_000_000
        let order = Order()
        Task(executorPreference: rig.loop) { [loop = rig.loop] in
            do throws(OffloadError<Never>) { try await loop.offload {} } catch { order.add(error == .closed ? 1 : 0) }
        }
        rig.loop.turn(.poll)
        rig.loop.turn(.poll)
        _ = rig.loop.shutdown()
        #expect(order.places == [1])
    }

    @Test("Every seed ends with nothing left, whatever is cancelled when", arguments: 1...40) func campaign(seed: Int) {
        var limits = Limits()
        limits.offloadThreadsMax = 3
        limits.offloadQueueMax = 8
        let rig = Rig(seed: UInt64(seed), limits: limits)
        let order = Order()
        rig.loop.run { loop async in
            var generator = SimulatedDice(seed: UInt64(seed))
            for place in 0..<200 {
                let timeout = generator.below(3) == 0 ? Duration.microseconds(generator.below(3_000)) : nil
                let fiber = loop.spawn { loop async in
                    do throws(OffloadError<Never>) {
                        let answer = try await loop.offload(timeout: timeout) { place }
                        #expect(answer == place)
                        order.add(place)
                    } catch {
                        if case .noThread = error { Issue.record("no thread") }
                    }
                }
                if generator.below(4) == 0 { try? await loop.sleep(for: .microseconds(generator.below(2_000))) }
                if generator.below(5) == 0 { fiber.cancel() }
            }
        }
        let counts = rig.ops.metrics.offload
        #expect(counts.queued == 0)
        #expect(Int(counts.taken) == order.places.count)
        rig.end()
    }
}

/// In which order things happened, on whichever thread.
private final class Order: Sendable {
    private let stored = Mutex<[Int]>([])

    func add(_ place: Int) { stored.withLock { $0.append(place) } }

    var places: [Int] { stored.withLock { $0 } }
}

/// Numbers by a seed.
private struct SimulatedDice {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }
}
