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

    @Test("Whoever asks one device and waits for its answer is not suspended; while somebody else is busy he is", arguments: [true, false])
    func inPlace(isAlone: Bool) throws {
        let pty = try Pty()
        let inPlace = try onLoop { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            let busy = isAlone ? nil : loop.spawn { _ async in while !Task.isCancelled { await Task.yield() } }
            let device = loop.spawn { loop async in try? await loop.offload { for _ in 0..<100 { pty.answer() } } }
            for number in 0..<100 {
                try await port.write([UInt8(number)])
                #expect(try await port.read() == [UInt8(number)])
            }
            await device.value
            busy?.cancel()
            await port.close()
            return loop.metrics.waitsInPlace
        }
        #expect(isAlone ? inPlace > 0 : inPlace == 0)
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

extension Pty {
    /// Waits for what is sent, and sends it back.
    // SAFETY: the kernel is shown one place, which lives for the call.
    fileprivate func answer() {
        var place = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&place, 1, -1) != 1 {}
        send(received())
    }
}

/// Descriptors of this process that are open on a path.
private func openDescriptors(of path: SerialText) -> Int {
    (0..<1_024).count { LinuxSystem.link("/proc/self/fd/\($0)") == path }
}
