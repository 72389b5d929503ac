import CLoopEpoll
import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import Synchronization
import Testing

/// Threads, names, processes and signals of the real system.
@Suite("The system's services") struct SystemTests {
    // MARK: work for other threads

    @Test("A function that blocks runs beside the loop, which goes on meanwhile") func offload() throws {
        let loop = EventLoop(port: try EpollPort())
        let pipe = PipeEnds()
        let byte = try loop.run { loop in
            let reader = loop.spawn { loop in try await loop.offload { pipe.read() } }
            try await loop.sleep(for: .milliseconds(1))
            pipe.write(9)
            return try await reader.value
        }
        #expect(byte == 9)
        #expect(loop.shutdown().isClean)
    }

    @Test("A caller that is cancelled or out of time leaves at once, and the end of the loop leaves the thread behind")
    func abandoned() throws {
        let loop = EventLoop(port: try EpollPort())
        let ops = loop.operationsOnThisThread()
        let (one, other) = (PipeEnds(), PipeEnds())
        let (late, cancelled) = loop.run { loop async in
            let fiber = loop.spawn { loop async in await failure(loop, nil, one) }
            // Longer than a thread takes to begin, or it would be dropped instead.
            let waiting = loop.spawn { loop async in await failure(loop, .milliseconds(200), other) }
            while !one.hasBegun.load(ordering: .acquiring) { await Task.yield() }
            fiber.cancel()
            return (await waiting.value, await fiber.value)
        }
        #expect(late == .timedOut)
        #expect(cancelled == .cancelled)
        #expect(ops.metrics.offload.abandoned == 2)
        #expect(loop.shutdown().threads.count == 2)
        #expect(ops.metrics.offload.threadsLeftBehind == 2)
        one.write(1)
        other.write(1)
    }

    @Test("Two hundred functions on four threads all come back") func many() throws {
        let loop = EventLoop(port: try EpollPort())
        let sum = try loop.run { loop in
            let work = (0..<200).map { place in loop.spawn { loop in try await loop.offload { place } } }
            var sum = 0
            for fiber in work { sum += try await fiber.value }
            return sum
        }
        #expect(sum == 19_900)
        #expect(loop.shutdown().isClean)
    }

    @Test("The guide's example does what it says") func guide() throws {
        let loop = EventLoop(port: try EpollPort())
        let process = ChildProcess(shell: "exit 0")
        let child = Int(process.id)
        let isRight = try loop.run { loop in
            // example: fiber-system
            let sum = try await loop.offload(name: "a long sum", timeout: .seconds(60)) { (1...1_000).reduce(0, +) }
            let addresses = try await loop.resolve("127.0.0.1", "443", timeout: .seconds(60))
            let status = try await loop.waitForExit(.id(child), timeout: .seconds(60))
            let hangups = try loop.signals(.hangup)
            // example end
            hangups.end()
            return sum == 500_500 && addresses.count == 1 && status == .exited(code: 0)
        }
        #expect(isRight)
        #expect(loop.shutdown().isClean)
    }

    // MARK: names

    @Test("Numbers of both kinds are addresses at once") func numbers() throws {
        let loop = EventLoop(port: try EpollPort())
        let (four, six, none) = try loop.run { loop in
            (
                try await loop.resolve("192.0.2.7", "443"), try await loop.resolve("2001:db8::1", "80"),
                await refusal(loop, "192.0.2.7", "443", .ipv6)
            )
        }
        #expect(four.map(\.bytes) == [[2, 0, 1, 187, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0]])
        #expect(six.first.map { Array($0.bytes.prefix(12)) } == [10, 0, 0, 80, 0, 0, 0, 0, 0x20, 0x01, 0x0D, 0xB8])
        #expect(none != nil)
        #expect(loop.shutdown().isClean)
    }

    @Test("The name of this machine is looked up on a thread") func localhost() throws {
        let loop = EventLoop(port: try EpollPort())
        let addresses = try loop.run { loop in try await loop.resolve("localhost", "80", family: .ipv4, timeout: .seconds(30)) }
        #expect(addresses.first.map { Array($0.bytes[2..<8]) } == [0, 80, 127, 0, 0, 1])
        #expect(loop.shutdown().isClean)
    }

    @Test("What cannot be looked up says why, with the resolver's own code") func nameErrors() throws {
        let loop = EventLoop(port: try EpollPort())
        let (service, empty, unknown) = loop.run { loop async in
            (
                await refusal(loop, "127.0.0.1", "no-such-service"), await refusal(loop, "", "80"),
                await refusal(loop, "no-such-name.invalid", "80")
            )
        }
        #expect(service == .serviceNotFound(SystemCode(rawValue: -8)))
        #expect(empty == .malformedName)
        // Where there is no name server that is what is said.
        #expect([.nameNotFound(SystemCode(rawValue: -2)), .temporaryFailure(SystemCode(rawValue: -3))].contains(unknown))
        loop.shutdown()
    }

    // MARK: processes

    @Test("A child's code and a child's signal are told") func statuses() throws {
        let loop = EventLoop(port: try EpollPort())
        let (code, signal) = try loop.run { loop in
            let (first, second) = (ChildProcess(shell: "exit 7"), ChildProcess(shell: "kill -9 $$"))
            return (try await loop.waitForExit(.id(Int(first.id))), try await loop.waitForExit(.id(Int(second.id))))
        }
        #expect(code == .exited(code: 7))
        #expect(signal == .killed(signal: SIGKILL))
        #expect(loop.shutdown().isClean)
    }

    @Test("A wait that is cancelled or out of time leaves the child alone, which can be waited for again") func patience() throws {
        let loop = EventLoop(port: try EpollPort())
        let child = ChildProcess(shell: "echo begun; exec sleep 1000")
        let id = Int(child.id)
        #expect(child.line() == "begun")
        let (late, cancelled) = loop.run { loop async in
            let fiber = loop.spawn { loop async in await refusal(loop, .id(id)) }
            let late = await refusal(loop, .id(id), .milliseconds(1))
            fiber.cancel()
            return (late, await fiber.value)
        }
        #expect(late == .timedOut)
        #expect(cancelled == .cancelled)
        child.send(SIGTERM)
        #expect(try loop.run { loop in try await loop.waitForExit(.id(id)) } == .killed(signal: SIGTERM))
        #expect(loop.shutdown().isClean)
    }

    @Test("Strangers, the dead and numbers of nobody are refused by name") func strangers() throws {
        let loop = EventLoop(port: try EpollPort())
        let child = ChildProcess(shell: "exit 0")
        let gone = Int(child.id)
        _ = child.lines()
        #expect(child.reap() == 0)
        let (stranger, dead, nobody) = loop.run { loop async in
            (await refusal(loop, .id(1)), await refusal(loop, .id(gone)), await refusal(loop, .id(-1)))
        }
        #expect(stranger == .notAChild(SystemCode(rawValue: ECHILD)))
        #expect(dead == .noSuchProcess(SystemCode(rawValue: ESRCH)))
        #expect(nobody == .noSuchProcess(SystemCode(rawValue: ESRCH)))
        #expect(loop.shutdown().isClean)
    }

    // MARK: signals

    @Test("A signal comes to its stream, and the thread has its mask back when the stream has ended") func signals() throws {
        let loop = EventLoop(port: try EpollPort())
        let before = [SIGUSR2, SIGWINCH].map(isBlocked)
        let (first, second, during) = try loop.run { loop in
            let stream = try loop.signals(.user2)
            let other = try loop.signals(.user2, .windowChange)
            let waiting = loop.spawn { loop in try await stream.next() }
            await Task.yield()
            raise(SIGUSR2)
            let during = isBlocked(SIGUSR2)
            return (try await waiting.value, try await other.next(), during)
        }
        #expect(first == .user2)
        #expect(second == .user2)
        #expect(during)
        // Both streams were dropped with the function.
        for _ in 0..<10 { loop.turn(.poll) }
        #expect([SIGUSR2, SIGWINCH].map(isBlocked) == before)
        #expect(loop.shutdown().isClean)
    }

    @Test("The end of the loop ends the streams, and gives the mask back") func signalsAtEnd() throws {
        let loop = EventLoop(port: try EpollPort())
        let before = isBlocked(SIGUSR2)
        let stream = try loop.signals(.user2)
        #expect(isBlocked(SIGUSR2))
        #expect(loop.shutdown().isClean)
        #expect(isBlocked(SIGUSR2) == before)
        stream.end()
    }
}

extension SocketAddress {
    /// What is used of it.
    fileprivate var bytes: [UInt8] {
        var storage = storage
        return unsafe withUnsafeBytes(of: &storage) { bytes in unsafe [UInt8](bytes.prefix(Int(length))) }
    }
}

/// A pipe, of which a thread can read a byte for as long as it takes.
private final class PipeEnds: Sendable {
    private let ends: (read: Int32, write: Int32)
    let hasBegun = Atomic<Bool>(false)
    /// That what comes before a write comes before the end of its read, said again: the thread sanitizer does not take it from the pipe.
    private let isWritten = Atomic<Bool>(false)

    init() {
        var made: [Int32] = [-1, -1]
        guard unsafe pipe2(&made, O_CLOEXEC) == 0 else { trap("no pipe") }
        ends = (made[0], made[1])
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }

    func read() -> UInt8 {
        var byte: UInt8 = 0
        hasBegun.store(true, ordering: .releasing)
        _ = unsafe Glibc.read(ends.read, &byte, 1)
        _ = isWritten.load(ordering: .acquiring)
        return byte
    }

    func write(_ byte: UInt8) {
        var byte = byte
        isWritten.store(true, ordering: .releasing)
        _ = unsafe Glibc.write(ends.write, &byte, 1)
    }
}

private func isBlocked(_ signal: Int32) -> Bool {
    var mask = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
    return unsafe sigismember(&mask, signal) == 1
}

private func failure(_ loop: isolated EventLoop, _ timeout: Duration?, _ ends: PipeEnds) async -> OffloadError<Never>? {
    do throws(OffloadError<Never>) {
        _ = try await loop.offload(timeout: timeout) { ends.read() }
        return nil
    } catch {
        return error
    }
}

private func refusal(
    _ loop: isolated EventLoop, _ host: String, _ service: String, _ family: AddressFamily = .any
) async -> ResolveError? {
    do throws(ResolveError) {
        _ = try await loop.resolve(host, service, family: family, timeout: .seconds(30))
        return nil
    } catch {
        return error
    }
}

private func refusal(_ loop: isolated EventLoop, _ process: ProcessReference, _ timeout: Duration? = nil) async -> ProcessError? {
    do throws(ProcessError) {
        _ = try await loop.waitForExit(process, timeout: timeout)
        return nil
    } catch {
        return error
    }
}
