import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("Readiness for libraries that make their own calls", .ownDescriptors) struct ReadinessTests {
    @Test("Any number of tasks wait for one descriptor in blocking mode, each for what it wants") func many() throws {
        try withPair { loop, near, far async throws in
            let readers = (0..<5).map { _ in loop.spawn { loop in try await loop.readable(near, timeout: .seconds(10)) } }
            while loop.metrics.operations.submitted < 5 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(try await loop.writable(near, timeout: .seconds(10)) == .writable)
            #expect(loop.metrics.operations.submitted == 5 && loop.metrics.handles == 1)
            write(far)
            for reader in readers { #expect(try await reader.value.contains(.readable)) }
            // What is there already is told at once, as often as it is asked for.
            for _ in 0..<3 { #expect(try await loop.readable(near).contains(.readable)) }
            #expect(loop.metrics.handles == 0)
        }
    }

    @Test("A wait that is given up leaves the others, and the last leaves nothing") func givenUp() throws {
        try withPair { loop, near, far async throws in
            await #expect(throws: ReadinessError.timedOut) { try await loop.readable(near, timeout: .milliseconds(2)) }
            let cancelled = loop.spawn { loop async in try? await loop.readable(near) }
            let other = loop.spawn { loop in try await loop.readable(near, timeout: .seconds(10)) }
            try await loop.sleep(for: .milliseconds(1))
            cancelled.cancel()
            #expect(await cancelled.value == nil)
            #expect(loop.metrics.handles == 1)
            write(far)
            #expect(try await other.value.contains(.readable))
            #expect(loop.metrics.handles == 0 && loop.metrics.operations.submitted == 0)
        }
    }

    @Test("What is no descriptor is refused by name, and a hang-up is readiness") func ends() throws {
        try withPair { loop, near, far async throws in
            await #expect(throws: ReadinessError.association(.badHandle)) { try await loop.readable(NativeHandle(rawValue: 4_000)) }
            Glibc.close(Int32(far.rawValue))
            #expect(try await loop.readable(near, timeout: .seconds(10)).contains(.hangup))
        }
    }

    /// Runs a function with a pair of connected sockets in blocking mode; it may close the far one.
    private func withPair(
        _ body: @escaping @Sendable (isolated EventLoop, _ near: NativeHandle, _ far: NativeHandle) async throws -> Void
    ) throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (near, far) = (NativeHandle(rawValue: Int(ends[0])), NativeHandle(rawValue: Int(ends[1])))
        let loop = EventLoop(port: try EpollPort())
        defer {
            loop.shutdown()
            Glibc.close(ends[0])
            Glibc.close(ends[1])
        }
        let result: Result<Void, any Error> = loop.run { loop async in
            do { return .success(try await body(loop, near, far)) } catch { return .failure(error) }
        }
        try result.get()
    }
}

// SAFETY: one byte is read from the array.
private func write(_ handle: NativeHandle) { _ = unsafe Glibc.write(Int32(handle.rawValue), [UInt8(1)], 1) }
