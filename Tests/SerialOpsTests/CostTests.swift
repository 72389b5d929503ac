import CTestSupport
import Glibc
import LoopCore
import Testing

@testable import SerialOps

/// What a port costs that does nothing, and what is left of one that is gone.
@Suite("What ports cost", .serialized) struct CostTests {
    @Test("Thirty-two idle ports: the kernel wakes the thread for the end of the wait, and for nothing else") func idle() throws {
        let ptys = try (0..<32).map { _ in try Pty() }
        try onLoop { loop in
            var ports: [SerialPort] = []
            for pty in ptys { ports.append(try await SerialPort.open(pty.path, on: loop)) }
            try await loop.sleep(for: .milliseconds(10))
            let (waits, switches) = (loop.metrics.port.kernelWaits, portloop_test_waits_of_this_thread())
            try await loop.sleep(for: .seconds(environment("PORTLOOP_LONG") == nil ? 1 : 5))
            #expect(loop.metrics.port.kernelWaits - waits <= 2)
            #expect(portloop_test_waits_of_this_thread() - switches <= 2)
            for port in ports { await port.close() }
        }
    }

    @Test("Opened and closed many times: no descriptor and no operation is left") func cycles() throws {
        let pty = try Pty()
        try onLoop { loop in
            for _ in 0..<(environment("PORTLOOP_LONG") == nil ? 1_000 : 10_000) {
                await (try await SerialPort.open(pty.path, on: loop)).close()
            }
            #expect(openDescriptors(of: pty.path) == 0)
            #expect(loop.metrics.operations.submitted == 0)
        }
    }

    @Test("Ports that are closed and opened again in the middle of a stream lose nothing") func reopened() throws {
        let pty = try Pty()
        try onLoop { loop in
            let total = environment("PORTLOOP_LONG") == nil ? 300_000 : 8_000_000
            let feeder = loop.spawn { loop async in
                var sent = 0
                while sent < total {
                    let piece = (sent..<min(total, sent + 3_000)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
                    let count = pty.send(piece)
                    sent += count
                    if count < piece.count { try? await loop.sleep(for: .microseconds(200)) } else { await Task.yield() }
                }
            }
            // Somebody keeps the terminal open: one that nobody has open forgets what was sent to it.
            var shared = SerialSettings()
            shared.isExclusive = false
            let holder = pty.keptOpen()
            var (received, outOfOrder, opened) = (0, 0, 0)
            while received < total {
                let port = try await SerialPort.open(pty.path, shared, on: loop)
                opened += 1
                for _ in 0..<10 where received < total {
                    check(try await port.read(max: 5_000, timeout: .seconds(10)), &received, &outOfOrder)
                }
                await port.close()
                // What had come by then is still there.
                while let rest = try? await port.read(max: 100_000) { check(rest, &received, &outOfOrder) }
            }
            #expect(received == total)
            #expect(outOfOrder == 0)
            #expect(opened > 3)
            await feeder.value
            holder.end()
        }
    }
}

private func check(_ bytes: [UInt8], _ received: inout Int, _ outOfOrder: inout Int) {
    for byte in bytes {
        if byte != UInt8(truncatingIfNeeded: received &* 7 &+ received >> 8) { outOfOrder += 1 }
        received += 1
    }
}

/// Descriptors of this process that are open on a path.
private func openDescriptors(of path: SerialText) -> Int {
    (0..<1_024).count { LinuxSystem.link("/proc/self/fd/\($0)") == path }
}
