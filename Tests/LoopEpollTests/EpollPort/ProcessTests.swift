import CLoopEpoll
import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: the process around it", .ownDescriptors) struct ProcessTests {
    @Test("A peer that is gone ends a write with EPIPE and nothing with SIGPIPE", arguments: [Carrier.tcp, .unixStream, .pipe, .fifo])
    func brokenPipe(_ carrier: Carrier) async throws {
        await #expect(processExitsWith: .success) { [carrier] in
            // Test runners tend to ignore the signal; here it is to have its deadly effect.
            _ = signal(SIGPIPE, SIG_DFL)
            portloop_unblock_broken_pipe()
            let bench = try PortBench()
            let ends = carrier.openForWriting()
            let near = try bench.associate(ends.near)
            ends.far.close()
            let verbs: [(EpollPort, PortRequest) -> Submission] = [
                { $0.write($1, count: 1, at: nil) }, { $0.write($1, segments: [0..<1], at: nil) },
            ]
            for verb in verbs {
                var error = SystemCode.none
                // The first write to a TCP peer that is gone only provokes its reset.
                while error != .number(EPIPE) {
                    error = bench.start(Lent([1]), on: near, inline: .allowed, verb).completion.error
                    require(error == .none || error == .number(EPIPE) || error == .number(ECONNRESET))
                }
            }
            let answer = bench.start(Lent(capacity: 0), on: near, inline: .allowed) {
                $0.attempt($1) { _ in ends.near.write([1]) < 0 ? .failed(.number(errno)) : .done(count: 1) }
            }
            require(answer.completion.error == .number(EPIPE))
        }
    }

    @Test("The thread that used a port has its signal mask back when the port is closed")
    func signalMask() throws {
        portloop_unblock_broken_pipe()
        let bench = try PortBench()
        #expect(!isBrokenPipeBlocked())
        _ = try bench.associate(Carrier.pipe.open().near)
        #expect(isBrokenPipeBlocked())
        bench.end()
        #expect(!isBrokenPipeBlocked())
    }

    @Test("A fork of the process is refused by every call, and the parent's port does not notice it")
    func forked() async throws {
        await #expect(processExitsWith: .success) {
            let bench = try PortBench()
            let ends = Carrier.unixStream.open()
            let near = try bench.associate(ends.near)
            let read = Lent(capacity: 4)
            bench.start(read, on: near) { $0.read($1, at: nil) }
            ends.far.write([1, 2])
            let status = inChild { refusals(of: bench, near, ends) }
            require(status == 0)
            // The registration is still there, and so is its event.
            require(bench.packet(of: read) == Completion(count: 2))
            bench.start(read, on: near) { $0.read($1, at: nil) }
            ends.far.write([3])
            require(bench.packet(of: read) == Completion(count: 1))
            bench.end()
        }
    }

    @Test("A fork that waits on its parent's port is told so, and takes no event from it")
    func forkedWait() async throws {
        await #expect(processExitsWith: .success) {
            let bench = try PortBench()
            let status = inChild {
                // Away with the sentence of the trap: it is not this process's.
                close(2)
                return Int32(bench.wait(.poll).count)
            }
            require(status > 128)
            bench.end()
        }
    }

    @Test("A child that holds the descriptors open keeps nothing of the port's going")
    func holdingChild() throws {
        let bench = try PortBench()
        let old = Carrier.unixStream.open()
        let number = old.near.fd
        _ = try bench.associate(old.near)
        let child = portloop_test_holding_child()
        let new = Carrier.unixStream.open()
        old.near.close()
        let near = try bench.associate(new.near.moved(to: number))
        let read = Lent(capacity: 4)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        old.far.write([1])
        #expect(bench.packetsNow().isEmpty)
        #expect(bench.port.portMetrics.staleEvents > 0)
        new.far.write([2])
        #expect(bench.packet(of: read) == Completion(count: 1))
        #expect(read.bytes(1) == [2])
        portloop_test_end_child(child)
        bench.end()
    }

    @Test("A steady exchange costs a read, a write and one look at the kernel, and no memory")
    func steadyState() async throws {
        await #expect(processExitsWith: .success) {
            let bench = try PortBench()
            let ends = Carrier.tcp.open()
            let near = try bench.associate(ends.near)
            let (read, write) = (Lent(capacity: 64), Lent([1]))
            let raw = RawPort(bench.port, ends, near)
            for _ in 0..<10 { raw.exchange(read, write) }
            // The process's other threads make calls, too, when it begins: they spoil a stretch, but not every one.
            let isExact = (0..<50).contains { _ in
                let before = portloop_test_counts()
                for _ in 0..<100 { raw.exchange(read, write) }
                return isSteady(before, portloop_test_counts(), rounds: 100)
            }
            require(isExact || portloop_test_can_count() == 0)
            bench.end()
        }
    }
}

/// In a fork: 0 if everything is refused as it should be, or the number of what is not.
private func refusals(of bench: PortBench, _ near: Associated, _ ends: Ends) -> Int32 {
    let lent = Lent([1])
    guard bench.start(lent, on: near, { $0.read($1, at: nil) }) == .refused(.number(ECHILD)) else { return 1 }
    guard bench.start(lent, on: near, { $0.write($1, count: 1, at: nil) }) == .refused(.number(ECHILD)) else { return 2 }
    guard bench.start(lent, on: near, { $0.poll($1, .readable) }) == .refused(.number(ECHILD)) else { return 3 }
    do throws(AssociationError) {
        try bench.port.associate(ends.far.handle, as: HandleKey(slot: 5, generation: 5), options: [])
        return 4
    } catch {
        guard error == .forked else { return 5 }
    }
    bench.dissociate(near)
    bench.port.close()
    // A port of the fork's own takes the descriptor that the parent's has.
    guard let own = try? PortBench(), let mine = try? own.associate(ends.near) else { return 6 }
    own.dissociate(mine)
    return 0
}

/// The port without the books of a ``PortBench``, which allocate.
@safe private struct RawPort {
    private let port: EpollPort
    private let ends: Ends
    private let near: Associated
    private let batch: UnsafeMutableBufferPointer<Packet>
    private let byte: UnsafeMutablePointer<UInt8>

    init(_ port: EpollPort, _ ends: Ends, _ near: Associated) {
        self.port = port
        self.ends = ends
        self.near = near
        unsafe batch = .allocate(capacity: 16)
        unsafe byte = .allocate(capacity: 1)
        unsafe byte.pointee = 7
    }

    /// A read that waits, a byte from the far end, and an answer to it. Looks before it reads, so that the counts are exact on a busy
    /// machine, too.
    func exchange(_ read: Lent, _ write: Lent) {
        read.begin(on: near)
        write.begin(on: near)
        require(port.read(read.request(.allowed), at: nil) == .owesPacket)
        unsafe require(Glibc.write(ends.far.fd, byte, 1) == 1)
        while bytesWaiting(ends.near) == 0 {}
        unsafe require(port.wait(into: batch, for: .forever) == 1 && batch[0].completion.count == 1)
        require(port.write(write.request(.allowed), count: 1, at: nil) == .completed(Completion(count: 1)))
        while bytesWaiting(ends.far) == 0 {}
        unsafe require(Glibc.read(ends.far.fd, byte, 1) == 1)
    }
}

/// Whether the port made a read and a write each round, as the far end did, and one wait, and nothing else.
private func isSteady(_ before: portloop_test_counts, _ after: portloop_test_counts, rounds: UInt64) -> Bool {
    after.reads - before.reads == 2 * rounds && after.writes - before.writes == 2 * rounds && after.waits - before.waits == rounds
        && after.epoll_control == before.epoll_control && (after.allocations == before.allocations || !isOptimised())
}

/// Unoptimised code allocates for values that the optimiser keeps on the stack.
private func isOptimised() -> Bool {
    var isDebug = false
    assert({ isDebug = true }() == ())
    return !isDebug
}

/// Runs a function in a fork of the process and returns its result, or 128 and the signal that ended it.
private func inChild(_ body: @escaping () -> Int32) -> Int32 {
    let box = Boxed(body: body)
    return unsafe portloop_test_in_child(
        { box in unsafe box.map { unsafe Unmanaged<Boxed>.fromOpaque($0).takeUnretainedValue().body() } ?? -1 },
        Unmanaged.passUnretained(box).toOpaque())
}

private final class Boxed {
    let body: () -> Int32

    init(body: @escaping () -> Int32) { self.body = body }
}

private func isBrokenPipeBlocked() -> Bool {
    var mask = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
    return unsafe sigismember(&mask, SIGPIPE) == 1
}
