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
}

/// Descriptors of this process that are open on a path.
private func openDescriptors(of path: SerialText) -> Int {
    (0..<1_024).count { LinuxSystem.link("/proc/self/fd/\($0)") == path }
}
