#if PORTLOOP_LINUX
import Glibc
import LoopCore
import LoopEpoll

/// Runs until a signal comes; exits with 128 and its number, as a shell's convention has it.
func unwind(deafFibers: Int, sayReadyTwice: Bool = false) -> Never {
    guard let port = try? EpollPort() else { exit(2) }
    let loop = EventLoop(port: port)
    let began = loop.now
    do throws(RunError<WaitError>) {
        try loop.run(cancelledBy: .interrupt, .terminate) { loop throws(WaitError) in
            for _ in 0..<deafFibers {
                loop.spawn { _ async in unsafe await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
            }
            let fiber = loop.spawn { loop async in
                do throws(WaitError) { try await loop.sleep(for: .seconds(3_600)) } catch { say("a fiber ended: \(error)") }
            }
            say("ready")
            do throws(WaitError) {
                try await loop.sleep(for: .seconds(3_600))
            } catch {
                _ = await fiber.value
                say("goodbye")
                if sayReadyTwice { say("again") }
                throw error
            }
        }
        exit(2)
    } catch {
        guard case .interrupted(let signal, let report) = error else { exit(2) }
        say("left: \(report.fibers.count) fibers, \(report.operations.count) operations")
        say(loop.isBounded(since: began) ? "in time" : "too late")
        exit(128 + (signal == .interrupt ? SIGINT : SIGTERM))
    }
}

extension EventLoop {
    /// The loop has ended, and its clock with it; the system's has not.
    fileprivate nonisolated func isBounded(since began: MonotonicInstant) -> Bool {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let nanoseconds = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        // The test sends its signal at once; the bounds of a shutdown are 1 s for last words and 1 s for packets.
        return nanoseconds - began.nanoseconds < 5_000_000_000
    }
}
#endif
