import CBench
import Portloop
import SocketOps

/// What connections cost that do nothing, in memory of the process: of a fiber that waits for something else, and of one that reads from a
/// connection. The kernel's own is not counted.
func runIdleSockets(count: Int) {
    let loop = makeLoop()
    loop.run { loop async in
        let gate = Gate(on: loop)
        let before = heapBytes()
        let idle = (0..<count).map { _ in loop.spawn { _ async in try? await gate.wait() } }
        try? await loop.sleep(for: .milliseconds(200))
        let fibers = heapBytes()
        gate.open()
        for fiber in idle { await fiber.value }

        var streams: [UnixStream] = []
        streams.reserveCapacity(count)
        let start = heapBytes()
        for _ in 0..<(count / 2) {
            do throws(SocketError) {
                let (one, other) = try UnixStream.pair(on: loop)
                streams += [one, other]
            } catch {
                trap("no sockets: \(error)")
            }
        }
        let open = heapBytes()
        for stream in streams { loop.spawn { _ async in _ = try? await stream.read { bytes, _ in bytes.isEmpty } } }
        while loop.metrics.operations.submitted < streams.count { try? await loop.sleep(for: .milliseconds(1)) }
        let readers = heapBytes()
        print(
            "fiber_bytes=\((fibers - before) / count) connection_bytes=\((open - start) / count)",
            "connection_and_reader_bytes=\((readers - start) / count)")
        for stream in streams { await stream.close() }
    }
    loop.shutdown()
}

/// Bytes that are allocated at present.
private func heapBytes() -> Int { Int(bench_heap_bytes()) }
