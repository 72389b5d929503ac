import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import LoopSim
import Testing

/// What the steady state costs, counted: allocations and system calls of the loop's thread.
///
/// The counting itself is CTestSupport's, and off under a sanitizer. Each count has a process of its own; its exit status says which
/// expectation failed.
@Suite("Counted costs") struct CountingTests {
    @Test(
        "A steady echo over TCP allocates nothing and calls read, write and epoll_wait once each",
        .enabled(if: canCount, "counted in an optimised build without a sanitizer"))
    func steadyEcho() async {
        await #expect(processExitsWith: .exitCode(0)) { _exit(countEcho(requests: 2_000) { try Echo($0, $1).read() }) }
    }

    @Test(
        "An echo that renews one record allocates nothing, and makes the same calls",
        .enabled(if: canCount, "counted in an optimised build without a sanitizer"))
    func renewingEcho() async {
        await #expect(processExitsWith: .exitCode(0)) { _exit(countEcho(requests: 2_000) { try RenewingEcho($0, $1).read() }) }
    }

    @Test(
        "Sixty-four connections share a wait, and are served in two turns",
        .enabled(if: canCount, "counted in an optimised build without a sanitizer"))
    func sharedWaits() async {
        await #expect(processExitsWith: .exitCode(0)) { _exit(countSharedEcho(connections: 64, rounds: 200)) }
    }

    @Test(
        "A channel allocates nothing for an element, whoever waits for whom",
        .enabled(if: canCount, "counted in an optimised build without a sanitizer"), arguments: [1, 64])
    func channel(capacity: Int) async {
        await #expect(processExitsWith: .exitCode(0)) { [capacity] in countChannel(capacity: capacity, elements: 10_000) }
    }

    @Test(
        "A million hour-long sleeps that are cancelled leave no timer behind",
        .enabled(if: canCount, "counted in an optimised build without a sanitizer"))
    func cancelledSleeps() async {
        let left = onThreadOfItsOwn { () -> Int in
            guard let loop = try? EventLoop(port: EpollPort()) else { return -1 }
            let left = loop.run { loop async in
                for _ in 0..<100 {
                    let sleepers = (0..<10_000).map { _ in loop.spawn { loop async in try? await loop.sleep(for: .seconds(3_600)) } }
                    await Task.yield()
                    for sleeper in sleepers { sleeper.cancel() }
                    for sleeper in sleepers { _ = await sleeper.value }
                }
                return loop.metrics.timersWaiting
            }
            return loop.shutdown().isClean ? left : -1
        }
        #expect(left == 0)
    }

    @Test("An idle loop with 32 reads waiting is not woken by anybody")
    func idleIsIdle() async {
        await #expect(processExitsWith: .exitCode(0)) { _exit(countIdleSwitches()) }
    }
}

/// An unoptimised build allocates where an optimised one does not, and a sanitizer counts for itself.
private let canCount = portloop_test_can_count() == 1 && !_isDebugAssertConfiguration()

/// An echo on the seam, with callbacks made once: what a server does for each connection.
private final class Echo {
    private let ops: Operations
    private let handle: AssociatedHandle
    /// Keeps this object, too: a count ends with its process, by `_exit`, which asks nobody about leaks.
    private var whenRead: ((OperationID, WaitEnd) -> Void)?

    init(_ ops: Operations, _ end: NativeHandle) throws {
        self.ops = ops
        handle = try ops.associate(end)
        whenRead = { [self] id, _ in answer(id) }
    }

    /// More room than a message needs: a read that fills its buffer cannot know that nothing is left.
    // SAFETY: the memory is only named.
    func read() {
        guard let whenRead, let id = unsafe try? ops.prepare(handle, capacity: 4096).id else { return }
        _ = try? ops.read(id)
        try? ops.onCompletion(id, whenRead)
    }

    // SAFETY: the write's buffer is as large as what is copied into it.
    private func answer(_ id: OperationID) {
        let write: OperationID?? = try? ops.withResult(id) { _, bytes -> OperationID? in
            guard let memory = unsafe try? ops.prepare(handle, capacity: bytes.byteCount) else { return nil }
            unsafe bytes.withUnsafeBytes { source in unsafe memory.buffer.copyMemory(from: source) }
            return unsafe memory.id
        }
        guard let write = write.flatMap({ $0 }) else { return }
        if let started = try? ops.write(write, count: 64, inline: .allowed), started == .done { try? ops.free(write) }
        read()
    }
}

/// An echo in one record: what was read is written back from where it lies.
private final class RenewingEcho {
    private let ops: Operations
    private let handle: AssociatedHandle
    private var reads: OperationKind?
    private var writes: OperationKind?

    init(_ ops: Operations, _ end: NativeHandle) throws {
        self.ops = ops
        handle = try ops.associate(end)
        reads = try ops.kind(on: handle) { [self] id, _ in try? answer(id) }
        writes = try ops.kind(on: handle) { [self] id, _ in try? readAgain(id) }
    }

    // SAFETY: the memory is only named.
    func read() throws {
        guard let reads else { return }
        try ops.read(unsafe ops.prepare(reads, capacity: 4096).id)
    }

    private func answer(_ id: OperationID) throws {
        guard let writes else { return }
        let write = try ops.renew(id, as: writes)
        if try ops.write(write.id, count: write.facts.count, inline: .allowed) == .done { try readAgain(write.id) }
    }

    private func readAgain(_ id: OperationID) throws {
        guard let reads else { return }
        try ops.read(ops.renew(id, as: reads).id)
    }
}

/// Counts from here on, for the calls of this file.
private func difference(_ from: portloop_test_counts, _ to: portloop_test_counts) -> portloop_test_counts {
    portloop_test_counts(
        allocations: to.allocations - from.allocations, epoll_control: to.epoll_control - from.epoll_control, waits: to.waits - from.waits,
        reads: to.reads - from.reads, writes: to.writes - from.writes, others: to.others - from.others)
}

/// One connection; the far end writes and reads 64 bytes for each request, which is counted too: one read and one write of the client's.
// SAFETY: 64 bytes go to and fro in an array of 64.
private func countEcho(requests: Int, _ begin: (Operations, NativeHandle) throws -> Void) -> Int32 {
    guard let loop = try? EventLoop(port: EpollPort()) else { return 90 }
    let ops = loop.operationsOnThisThread()
    let ends = Descriptors.tcpPair()
    guard (try? begin(ops, ends.near)) != nil else { return 91 }
    var message = [UInt8](repeating: 7, count: 64)
    func roundTrip() {
        unsafe _ = write(ends.far.descriptor, &message, 64)
        while unsafe read(ends.far.descriptor, &message, 64) != 64 { loop.turn() }
    }
    for _ in 0..<200 { roundTrip() }
    let before = portloop_test_counts()
    for _ in 0..<requests {
        unsafe _ = write(ends.far.descriptor, &message, 64)
        loop.turn()
        guard unsafe read(ends.far.descriptor, &message, 64) == 64 else { return 92 }
    }
    let counts = difference(before, portloop_test_counts())
    let expected = UInt64(requests)
    guard counts.allocations == 0 else { return 1 }
    guard counts.epoll_control == 0 else { return 2 }
    guard counts.waits == expected else { return 3 }
    guard counts.reads == 2 * expected else { return 4 }
    guard counts.writes == 2 * expected else { return 5 }
    return counts.others == 0 ? 0 : 6
}

/// As many connections as the port serves at a time.
private let connectionsPerTurn = 32

/// Many connections, all of which ask before the loop is turned: the kernel is asked once for all of them.
// SAFETY: as above.
private func countSharedEcho(connections: Int, rounds: Int) -> Int32 {
    guard let loop = try? EventLoop(port: EpollPort()) else { return 90 }
    let ops = loop.operationsOnThisThread()
    let pairs = (0..<connections).map { _ in Descriptors.tcpPair() }
    let echoes = pairs.compactMap { try? Echo(ops, $0.near) }
    guard echoes.count == connections else { return 91 }
    for echo in echoes { echo.read() }
    var message = [UInt8](repeating: 7, count: 64)
    var before = portloop_test_counts()
    for round in 0..<(rounds + 20) {
        if round == 20 { before = portloop_test_counts() }
        for pair in pairs { unsafe _ = write(pair.far.descriptor, &message, 64) }
        for _ in 0..<connections / connectionsPerTurn { loop.turn() }
        for pair in pairs {
            guard unsafe read(pair.far.descriptor, &message, 64) == 64 else { return 92 }
        }
    }
    let counts = difference(before, portloop_test_counts())
    guard counts.allocations == 0 else { return 1 }
    guard counts.epoll_control == 0, counts.others == 0 else { return 2 }
    guard counts.waits == UInt64(rounds) else { return 3 }
    return counts.reads == UInt64(2 * rounds * connections) && counts.writes == counts.reads ? 0 : 4
}

/// One fiber sends, another receives. The counts stop while both still run, and the process ends with what they say.
private func countChannel(capacity: Int, elements: Int) {
    guard let loop = try? EventLoop(port: EpollPort()) else { _exit(90) }
    loop.run { loop in
        let channel = Channel<Int>(on: loop, capacity: capacity)
        loop.spawn { _ in
            var number = 0
            while true {
                guard (try? await channel.send(number)) != nil else { _exit(91) }
                number += 1
            }
        }
        var before = portloop_test_counts()
        for expected in 0..<elements + 1_000 {
            if expected == 1_000 { before = portloop_test_counts() }
            guard (try? await channel.receive()) == expected else { _exit(92) }
        }
        _exit(difference(before, portloop_test_counts()).allocations == 0 ? 0 : 1)
    }
}

/// Context switches of the thread (RUSAGE_THREAD, 1), as the kernel counts them, of a loop that has nothing to do for 300 ms: one to
/// fall asleep.
// SAFETY: getrusage fills the structure it is given.
private func countIdleSwitches() -> Int32 {
    guard let loop = try? EventLoop(port: EpollPort()) else { return 90 }
    let ops = loop.operationsOnThisThread()
    var echoes: [Echo] = []
    for _ in 0..<32 {
        guard let echo = try? Echo(ops, Descriptors.socketPair().near) else { return 91 }
        echo.read()
        echoes.append(echo)
    }
    loop.turn(.poll)
    var before = rusage()
    var after = rusage()
    unsafe getrusage(1, &before)
    loop.turn(until: loop.now.advanced(by: 300_000_000))
    unsafe getrusage(1, &after)
    withExtendedLifetime(echoes) {}
    return after.ru_nvcsw - before.ru_nvcsw <= 1 ? 0 : 1
}
