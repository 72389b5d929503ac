internal import CLoopWin32
internal import LoopCore
internal import SerialOps
internal import Synchronization
internal import _Concurrency

// How ports end, and waits for events.
extension SerialCases {
    /// Milliseconds that the end of a healthy port takes at most, and more than it ever does: a machine may be busy.
    private static let closeBound = UInt64(1_000_000_000)

    static func closed(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        let reader = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.read() } }
        await site.pause(.milliseconds(5))
        let began = loop.now
        try await site.close(port)
        try demand(loop.now.nanoseconds(since: began) < closeBound, "it took too long")
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
        let began = loop.now
        try await site.close(port)
        try demand(loop.now.nanoseconds(since: began) < closeBound, "it took too long")
        guard case .failure(.closed) = await writer.value else { throw .failed("the writer was not told") }
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
