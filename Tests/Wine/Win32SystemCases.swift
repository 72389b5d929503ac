internal import CLoopWin32
internal import LoopCore
internal import LoopWin32
internal import Synchronization
internal import _Concurrency

/// Threads, names, processes and console control of Windows, by the loop.
enum Win32SystemCases {
    static let suite = Suite(
        "the Windows port: the system's services",
        [
            Case("a function runs on a thread of the pool, and what it returns comes back") { check throws(Unmet) in
                let bench = try Win32Bench(check)
                let own = portloop_win32_thread_id()
                let threads = Ids()
                try bench.run { loop async throws(Unmet) in
                    for number in 1...20 {
                        let answer = try await offloaded(loop) {
                            threads.note(portloop_win32_thread_id())
                            return number * 2
                        }
                        if answer != number * 2 { throw .failed("the answer is \(answer)") }
                    }
                }
                check.expect(threads.last != 0 && threads.last != own, "another thread than the loop's")
                check.expectEqual(bench.ops.metrics.offload.taken, 20, "taken")
                bench.end()
            },
            Case("a caller that is out of time leaves at once, and the thread is free again when it is done") { check throws(Unmet) in
                let bench = try Win32Bench(check)
                let gate = try Event()
                try bench.run { loop async throws(Unmet) in
                    let error: OffloadError<Never>
                    do throws(OffloadError<Never>) {
                        try await loop.offload(timeout: .milliseconds(300)) { _ = gate.wait(milliseconds: 20_000) }
                        throw .cancelled
                    } catch let found {
                        error = found
                    }
                    guard case .timedOut = error else { throw .failed("it did not wait") }
                }
                check.expectEqual(bench.ops.metrics.offload.abandoned, 1, "abandoned")
                gate.set()
                bench.end()
            },
            Case("numbers are addresses at once, and localhost is looked up") { check throws(Unmet) in
                let bench = try Win32Bench(check)
                try bench.run { loop async throws(Unmet) in
                    let four = try await resolved(loop, "192.0.2.7", "443")
                    guard four.first?.length == 16 else { throw .failed("a number of four bytes") }
                    guard loop.metrics.offload.threads == 0 else { throw .failed("a number needs no thread") }
                    let six = try await resolved(loop, "2001:db8::1", "80")
                    guard six.first?.length == 28 else { throw .failed("a number of sixteen bytes") }
                    let local = try await resolved(loop, "localhost", "80")
                    guard !local.isEmpty else { throw .failed("localhost has no address") }
                }
                bench.end()
            },
            Case("a name that nobody has is told by its error, with Winsock's own code") { check throws(Unmet) in
                let bench = try Win32Bench(check)
                try bench.run { loop async throws(Unmet) in
                    do throws(ResolveError) {
                        _ = try await loop.resolve("no-such-name.invalid", "80", timeout: .seconds(30))
                    } catch {
                        switch error {
                        case .nameNotFound, .temporaryFailure, .noAddress, .permanentFailure: return
                        default: throw .failed("another error")
                        }
                    }
                    throw .failed("it was found")
                }
                bench.end()
            },
            Case("the end of a process is told with its code, and again to whoever asks later") { check throws(Unmet) in
                let bench = try Win32Bench(check)
                var process = 0
                try check.must("a process", unsafe portloop_win32_process_start_suspended(&process))
                let child = RawHandle(process)
                let handle = NativeHandle(rawValue: child.handle)
                try bench.run { loop async throws(Unmet) in
                    guard await failure(loop, .handle(handle), .milliseconds(20)) == .timedOut else { throw .failed("its timeout") }
                    _ = portloop_win32_process_terminate(handle.rawValue, 7)
                    for _ in 0..<2 { try await expectExit(loop, .handle(handle), code: 7) }
                }
                bench.end()
            },
            Case("a process is found by its number, and one that is not there is refused") { check throws(Unmet) in
                let bench = try Win32Bench(check)
                let own = Int(portloop_win32_process_id())
                try bench.run { loop async throws(Unmet) in
                    guard await failure(loop, .id(own), .milliseconds(20)) == .timedOut else { throw .failed("this process runs") }
                    guard case .noSuchProcess = await failure(loop, .id(0x7FFF_FFF0), nil) else { throw .failed("nobody's number") }
                }
                bench.end()
            },
            Case("Ctrl-C comes to its stream") { check throws(Unmet) in
                let bench = try Win32Bench(check)
                try bench.run { loop async throws(Unmet) in
                    let stream = try listening(loop)
                    guard portloop_win32_console_raise(0) == 0 else { throw .notApplicable("a system with pseudo-consoles") }
                    let signal: Signal?
                    do throws(WaitError) { signal = try await stream.next() } catch { throw .failed("the wait") }
                    guard signal == .interrupt else { throw .failed("another signal") }
                    stream.end()
                }
                bench.end()
            },
            Case("a signal that Windows does not have is not supported") { check throws(Unmet) in
                let bench = try Win32Bench(check)
                do throws(SignalError) {
                    _ = try bench.loop.signals(.user1)
                    check.fail("it is")
                } catch {
                    check.expect(error == .notSupported, "the error")
                }
                bench.end()
            },
        ])
}

private func offloaded(_ loop: isolated EventLoop, _ body: @escaping @Sendable () -> Int) async throws(Unmet) -> Int {
    do throws(OffloadError<Never>) { return try await loop.offload(body) } catch { throw .failed("the work came to nothing") }
}

private func resolved(_ loop: isolated EventLoop, _ host: String, _ service: String) async throws(Unmet) -> [SocketAddress] {
    do throws(ResolveError) {
        return try await loop.resolve(host, service, timeout: .seconds(30))
    } catch {
        throw .failed("\(host) has no address")
    }
}

private func failure(_ loop: isolated EventLoop, _ process: ProcessReference, _ timeout: Duration?) async -> ProcessError? {
    do throws(ProcessError) {
        _ = try await loop.waitForExit(process, timeout: timeout)
        return nil
    } catch {
        return error
    }
}

private func expectExit(_ loop: isolated EventLoop, _ process: ProcessReference, code: UInt32) async throws(Unmet) {
    let status: ExitStatus
    do throws(ProcessError) {
        status = try await loop.waitForExit(process, timeout: .seconds(20))
    } catch {
        throw .failed(error == .timedOut ? "it did not end" : "the wait failed")
    }
    guard status == .exited(code: code) else { throw .failed("another status") }
}

private func listening(_ loop: isolated EventLoop) throws(Unmet) -> SignalStream {
    do throws(SignalError) { return try loop.signals(.interrupt) } catch { throw .failed("no stream") }
}

/// The threads that functions ran on.
private final class Ids: Sendable {
    private let noted = Atomic<UInt32>(0)

    func note(_ thread: UInt32) { noted.store(thread, ordering: .sequentiallyConsistent) }

    var last: UInt32 { noted.load(ordering: .sequentiallyConsistent) }
}
