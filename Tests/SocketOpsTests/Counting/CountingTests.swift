import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import SocketOps
import Testing

/// What requests over a connection cost in the steady state, counted: allocations and system calls of the loop's thread.
@Suite("Counted costs of sockets") struct CountingTests {
    @Test(
        "A request and its answer allocate nothing, and cost each side one call to read and one to write",
        .enabled(if: canCount, "counted in an optimised build without a sanitizer"))
    func steadyEcho() async {
        await #expect(processExitsWith: .exitCode(0)) { countEcho(requests: 5_000) }
    }

    @Test("So do they into buffers that are moved", .enabled(if: canCount, "counted in an optimised build without a sanitizer"))
    func buffers() async {
        await #expect(processExitsWith: .exitCode(0)) { countBuffers(requests: 5_000) }
    }
}

/// An unoptimised build allocates where an optimised one does not, and a sanitizer counts for itself.
private let canCount = portloop_test_can_count() == 1 && !_isDebugAssertConfiguration()

/// Both ends are the loop's. The process ends with what the counts say.
private func countEcho(requests: Int) {
    guard let loop = try? EventLoop(port: EpollPort()) else { _exit(90) }
    loop.run { loop async in
        guard let ends = try? await loop.connection() else { _exit(91) }
        let (near, far) = (ends.near, ends.far)
        loop.spawn { _ async in
            while (try? await echo(near)) == true {}
            _exit(92)
        }
        var message = IOBuffer(capacity: 64)
        message.append([UInt8](repeating: 7, count: 64))
        var before = portloop_test_counts()
        for request in 0..<requests + 1_000 {
            if request == 1_000 { before = portloop_test_counts() }
            guard message.withBytes({ try? far.writeNow($0) }) == 64, (try? await drained(far)) == 64 else { _exit(93) }
        }
        _exit(verdict(before, requests))
    }
}

/// Sends back what comes; false when nothing more does.
private func echo(_ stream: TCPStream) async throws(SocketError) -> Bool {
    try await stream.read { bytes, taken in
        taken = (try? stream.writeNow(bytes)) ?? 0
        return taken == 64
    }
}

private func drained(_ stream: TCPStream) async throws(SocketError) -> Int {
    try await stream.read { bytes, taken in
        taken = bytes.byteCount
        return taken
    }
}

private func countBuffers(requests: Int) {
    guard let loop = try? EventLoop(port: EpollPort()) else { _exit(90) }
    loop.run { loop async in
        guard let ends = try? await loop.connection() else { _exit(91) }
        let (near, far) = (ends.near, ends.far)
        loop.spawn { _ async in
            var buffer = IOBuffer(capacity: 4_096)
            while (try? await near.read(into: &buffer)) == 64, (try? await near.write(buffer)) != nil { buffer.removeAll() }
            _exit(92)
        }
        var message = IOBuffer(capacity: 64)
        message.append([UInt8](repeating: 7, count: 64))
        var answer = IOBuffer(capacity: 4_096)
        var before = portloop_test_counts()
        for request in 0..<requests + 1_000 {
            if request == 1_000 { before = portloop_test_counts() }
            guard (try? await far.write(message)) != nil, (try? await far.read(into: &answer)) == 64 else { _exit(93) }
            answer.removeAll()
        }
        _exit(verdict(before, requests))
    }
}

private func verdict(_ before: portloop_test_counts, _ requests: Int) -> Int32 {
    let now = portloop_test_counts()
    let (both, expected) = (UInt64(2 * requests), UInt64(requests))
    guard now.allocations == before.allocations else { return 1 }
    guard now.epoll_control == before.epoll_control, now.others == before.others else { return 2 }
    guard now.reads - before.reads == both else { return 3 }
    guard now.writes - before.writes == both else { return 4 }
    // A wait for the request and one for the answer, and now and then a look in between.
    return now.waits - before.waits <= both + expected / 4 ? 0 : 5
}
