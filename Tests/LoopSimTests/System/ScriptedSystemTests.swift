import LoopCore
import LoopSim
import Synchronization
import Testing

@Suite("Names, processes and signals, scripted") struct ScriptedSystemTests {
    @Test("A name has the addresses that the script gives it") func name() throws {
        let rig = Rig()
        var address = SocketAddress()
        address.length = 16
        rig.port.simulatedSystem.setName("example.com", .success([address, address]))
        let count = try rig.loop.run { loop in try await loop.resolve("example.com", "443").count }
        #expect(count == 2)
        rig.end()
    }

    @Test("A number needs no thread") func number() throws {
        let rig = Rig()
        let count = try rig.loop.run { loop in try await loop.resolve("10.0.0.7", "443").count }
        #expect(count == 1)
        #expect(rig.ops.metrics.offload.threads == 0)
        rig.end()
    }

    @Test("A name that is unknown, malformed or slow is told by its error")
    func nameErrors() {
        let rig = Rig()
        let code = SystemCode(rawValue: -3)
        rig.port.simulatedSystem.setName("later.example", .failure(.temporaryFailure(code)))
        let (unknown, malformed, later, slow) = rig.loop.run { loop async in
            (
                await refusal(loop, "nowhere.example"), await refusal(loop, "a\0b"), await refusal(loop, "later.example"),
                await refusal(loop, "later.example", timeout: .microseconds(1))
            )
        }
        guard case .nameNotFound = unknown else {
            Issue.record("found \(String(describing: unknown))")
            return
        }
        #expect(malformed == .malformedName)
        #expect(later == .temporaryFailure(code))
        #expect(slow == .timedOut)
        rig.turn { rig.ops.metrics.offload.running == 0 }
        rig.end()
    }

    @Test("A process is waited for until it ends, and its status is told") func process() throws {
        let rig = Rig()
        rig.port.simulatedSystem.startProcess(17)
        rig.port.after(5_000_000) { [port = rig.port] in port.simulatedSystem.endProcess(17, .exited(code: 3)) }
        let (status, took) = try rig.loop.run { loop in
            let began = loop.now
            return (try await loop.waitForExit(.id(17)), loop.now.nanoseconds(since: began))
        }
        #expect(status == .exited(code: 3))
        #expect(took == 5_000_000)
        // One that has ended is told at once.
        #expect(try rig.loop.run { loop in try await loop.waitForExit(.id(17)) } == .exited(code: 3))
        rig.end()
    }

    @Test("A wait for a process can be cancelled and timed out, and refused") func processErrors() {
        let rig = Rig()
        rig.port.simulatedSystem.startProcess(17)
        rig.port.simulatedSystem.startProcess(18, isChild: false)
        let (late, cancelled, stranger, nobody) = rig.loop.run { loop async in
            let late = await refusal(loop, .id(17), timeout: .seconds(5))
            let fiber = loop.spawn { loop async in await refusal(loop, .id(17)) }
            await Task.yield()
            fiber.cancel()
            return (late, await fiber.value, await refusal(loop, .id(18)), await refusal(loop, .id(19)))
        }
        #expect(late == .timedOut)
        #expect(cancelled == .cancelled)
        guard case .notAChild = stranger, case .noSuchProcess = nobody else {
            Issue.record("found \(String(describing: stranger))")
            return
        }
        rig.end()
    }

    @Test("Every stream hears the signals that it was made for, each once") func streams() throws {
        let rig = Rig()
        let system = rig.port.simulatedSystem
        #expect(!system.raise(.interrupt))
        let (both, hangup, again) = try rig.loop.run { loop in
            let first = try loop.signals(.interrupt, .hangup)
            let second = try loop.signals(.hangup)
            system.raise(.hangup)
            system.raise(.hangup)
            system.raise(.interrupt)
            let both = [try await first.next(), try await first.next()]
            let hangup = try await second.next()
            let waiting = loop.spawn { loop async in try? await second.next() }
            await Task.yield()
            second.end()
            return (both, hangup, await waiting.value)
        }
        #expect(both == [.hangup, .interrupt])
        #expect(hangup == .hangup)
        #expect(again == .some(nil))
        // Both streams are gone.
        rig.loop.turn(.poll)
        #expect(!system.raise(.interrupt))
        rig.end()
    }

    @Test("A stream is a sequence, and ends with its loop") func sequence() throws {
        let rig = Rig()
        let heard = try rig.loop.run { [system = rig.port.simulatedSystem] loop in
            let stream = try loop.signals(.hangup)
            let fiber = loop.spawn { loop async -> Int in
                var count = 0
                do { for try await _ in stream { count += 1 } } catch { return -1 }
                return count
            }
            await Task.yield()
            for _ in 0..<3 {
                system.raise(.hangup)
                try await loop.sleep(for: .milliseconds(1))
            }
            stream.end()
            return await fiber.value
        }
        #expect(heard == 3)
        rig.end()
    }

    @Test("A signal ends a run: its fibers say their last words, the loop is shut down, and the time for it is bounded")
    func runCancelledBy() {
        let rig = Rig()
        rig.port.after(5_000_000_000) { [port = rig.port] in port.simulatedSystem.raise(.terminate) }
        let words = Words()
        do throws(RunError<WaitError>) {
            try rig.loop.run(cancelledBy: .interrupt, .terminate) { loop throws(WaitError) in
                loop.spawn { loop async in
                    // A fiber that does not listen costs no more than the bound.
                    await words.hang()
                }
                do throws(WaitError) {
                    try await loop.sleep(for: .seconds(3_600))
                } catch {
                    words.say("goodbye")
                    throw error
                }
            }
            Issue.record("The run returned.")
        } catch {
            guard case .interrupted(.terminate, let report) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(report.fibers.count == 1)
        }
        words.release()
        #expect(words.said == ["goodbye"])
        #expect(rig.port.clock.now.nanoseconds < 1_000_000_000 + 5_000_000_000 + 3_000_000_000)
    }

    @Test("A second signal ends the time for last words") func secondSignal() {
        let rig = Rig()
        for time: UInt64 in [1_000_000, 2_000_000] {
            rig.port.after(time) { [port = rig.port] in port.simulatedSystem.raise(.interrupt) }
        }
        let words = Words()
        do throws(RunError<Never>) {
            try rig.loop.run(cancelledBy: .interrupt) { loop async in
                try? await loop.sleep(for: .seconds(3_600))
                // Last words that take too long, and do not listen.
                await words.hang()
            }
            Issue.record("The run returned.")
        } catch {
            if case .interrupted(.interrupt, _) = error {} else { Issue.record("\(error)") }
        }
        words.release()
        #expect(rig.port.clock.now.nanoseconds < 1_000_000_000 + 100_000_000)
    }

    @Test("A run that no signal comes to returns what its function returns, and can be run again") func undisturbed() throws {
        let rig = Rig()
        for expected in 1...2 {
            let value = try rig.loop.run(cancelledBy: .interrupt) { loop in
                try await loop.sleep(for: .milliseconds(1))
                return expected
            }
            #expect(value == expected)
            #expect(!rig.port.simulatedSystem.raise(.interrupt))
        }
        rig.end()
    }
}

/// What fibers say, and one that says nothing.
private final class Words: Sendable {
    private let stored = Mutex<[String]>([])
    private let hanging = Mutex<CheckedContinuation<Void, Never>?>(nil)

    var said: [String] { stored.withLock { $0 } }

    func say(_ word: String) { stored.withLock { $0.append(word) } }

    func hang() async {
        await withCheckedContinuation { continuation in hanging.withLock { $0 = continuation } }
    }

    func release() { hanging.withLock { $0.take() }?.resume() }
}

private func refusal(_ loop: isolated EventLoop, _ host: String, timeout: Duration? = nil) async -> ResolveError? {
    do throws(ResolveError) {
        _ = try await loop.resolve(host, "80", timeout: timeout)
        return nil
    } catch {
        return error
    }
}

private func refusal(_ loop: isolated EventLoop, _ process: ProcessReference, timeout: Duration? = nil) async -> ProcessError? {
    do throws(ProcessError) {
        _ = try await loop.waitForExit(process, timeout: timeout)
        return nil
    } catch {
        return error
    }
}
