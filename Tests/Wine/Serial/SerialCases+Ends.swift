internal import CLoopWin32
internal import LoopCore
internal import SerialOps
internal import Synchronization
internal import _Concurrency

// How ports end, and waits for events.
extension SerialCases {
    static func closed(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        let reader = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.read() } }
        await site.pause(.milliseconds(5))
        try await site.close(port)
        try demand(await reader.value == .failure(.closed), "the reader was not told")
        try await site.close(port)
        try await mustFail("write", .closed) { () async throws(SerialError) in try await port.write([1]) }
        // The port is free again.
        let other = try await site.open()
        try await site.close(other)
    }

    static func closedInWrite(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        let writer = loop.spawn { _ async in
            await result { () async throws(SerialError) in try await port.write(pattern(200_000)) }
        }
        await site.pause(.milliseconds(20))
        try await site.close(port)
        guard case .failure(.closed) = await writer.value else { throw .failed("the writer was not told") }
    }

    static func writtenAndClosed(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        for round in 1...5 {
            let (port, bytes) = (try await site.open(), pattern(600 * round))
            try await must("write") { () async throws(SerialError) in try await port.write(bytes, timeout: SerialSite.patience) }
            try await site.close(port)
            try demandEqual(try site.peer.take(5, bytes.count), bytes, "what the other end has")
        }
    }

    static func closedInDrain(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        try await must("write") { () async throws(SerialError) in try await port.write(pattern(1_000), timeout: SerialSite.patience) }
        let drainer = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.drain() } }
        let noLines = SerialError.unsupportedConfiguration(.lines, got: nil)
        try await mustFail("events", noLines) { () async throws(SerialError) in try await port.events().next() }
        try await site.close(port)
        // Under Wine nothing waits to be sent: the drain may have been done.
        switch await drainer.value {
        case .success, .failure(.closed): break
        case .failure(let error): throw .failed("the drain: \(error.description)")
        }
        let ended = await result { () async throws(SerialError) in try await port.events().next() }
        guard case .failure(let error) = ended, error == noLines else { throw .failed("events of a port that has none") }
        try await mustFail("drain", .closed) { () async throws(SerialError) in try await port.drain() }
    }

    static func hangUpInIdleness(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        try site.peer.order("hang 5")
        try await site.wait(until: "the port to end") { () async throws(Unmet) in await port.ending != nil }
        try demand(await port.ending == .disconnected, "how it ended")
        let packets = loop.metrics.operations.packets
        await site.pause(.milliseconds(100))
        // The sleep itself is no packet.
        try demand(loop.metrics.operations.packets - packets <= 1, "a dead port is asked no more")
        try await site.close(port)
    }

    static func hangUp(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        let readers = (0..<3).map { _ in
            loop.spawn { _ async in await result { () async throws(SerialError) in try await port.read() } }
        }
        let writer = loop.spawn { _ async in
            await result { () async throws(SerialError) in try await port.write(pattern(200_000)) }
        }
        await site.pause(.milliseconds(20))
        try site.peer.order("hang 5")
        for reader in readers { try demand(await reader.value == .failure(.disconnected), "a reader was not told") }
        guard case .failure(.disconnected) = await writer.value else { throw .failed("the writer was not told") }
        try await mustFail("write", .disconnected) { () async throws(SerialError) in try await port.write([1], timeout: .seconds(5)) }
        try await mustFail("queues", .disconnected) { () async throws(SerialError) in try await port.queues() }
        try demand(await port.ending == .disconnected, "how it ended")
        try await site.close(port)
    }

    static func events(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let device = try openDevice("COM5")
        let ops = loop.operations
        let handle: AssociatedHandle
        do throws(AssociationError) { handle = try ops.associate(device.handle) } catch { throw .failed("it was not associated") }
        let noted = Noted()
        for round in 0..<5 {
            // A terminal's waits end as soon as they begin: with the byte that is there, or with nothing.
            try site.peer.send(5, [UInt8(round)])
            try await site.wait(until: "the byte to be there") { () throws(Unmet) in (try? device.queues().input) == 1 }
            try demand(await waitForByte(loop, device, handle, noted, .seconds(10)) == 0, "a byte is an event")
            let found = noted.take()
            try demand(found == received, "of its kind, and not \(found)")
            try? device.discard(.input)
            try demand(await waitForByte(loop, device, handle, noted, .seconds(10)) == 0, "an end without one")
            try demand(noted.take() == 0, "no event")
        }
        device.beginClose()
        do throws(OperationError) { _ = try await ops.awaitRetire(handle) } catch { throw .failed("it was not retired") }
        device.close()
    }

    /// EV_RXCHAR: terminals have no lines, and so no events of lines.
    private static let received: UInt32 = 1

    /// The code of the wait's operation; -1 where it ended otherwise.
    private static func waitForByte(
        _ loop: isolated EventLoop, _ device: WindowsSerialDevice, _ handle: AssociatedHandle, _ noted: Noted, _ timeout: Duration
    ) async -> Int32 {
        do throws(OperationError) {
            let outcome = try await loop.operations.perform(on: handle, capacity: 16, timeout: timeout) { op in
                op.remote(whenCancelled: .ends) { remote in device.waitOnThread(remote, for: received) { noted.note($0) } }
            }
            return outcome.end == .finished ? outcome.error.rawValue : -1
        } catch { return -1 }
    }

    static func openDevice(_ path: SerialText) throws(Unmet) -> WindowsSerialDevice {
        do throws(SerialError) { return try WindowsSerialDevice.open(path, SerialSettings()) } catch {
            throw .failed("\(path): \(error.description)")
        }
    }
}

/// What a thread has found.
private final class Noted: Sendable {
    private let mask = Atomic<UInt32>(0)

    func note(_ found: UInt32) { mask.bitwiseOr(found, ordering: .sequentiallyConsistent) }

    func take() -> UInt32 { mask.exchange(0, ordering: .sequentiallyConsistent) }
}
