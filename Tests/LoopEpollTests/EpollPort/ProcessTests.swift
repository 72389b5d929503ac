import CLoopEpoll
import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: the process around it", .ownDescriptors) struct ProcessTests {
    @Test("A peer that is gone ends a write with EPIPE and nothing with SIGPIPE", arguments: [Carrier.tcp, .unixStream, .pipe, .fifo])
    func brokenPipe(_ carrier: Carrier) throws {
        // In a child, where the signal has its deadly effect: test runners tend to ignore it.
        let status = inChild {
            unsafe _ = signal(SIGPIPE, SIG_DFL)
            portloop_unblock_broken_pipe()
            guard let bench = try? PortBench() else { return 1 }
            let ends = carrier.openForWriting()
            guard let near = try? bench.associate(ends.near) else { return 2 }
            ends.far.close()
            for write in [{ (port: EpollPort, request: PortRequest) in port.write(request, count: 1, at: nil) }, { $0.write($1, segments: [0..<1], at: nil) }] {
                var error = SystemCode.none
                for _ in 0..<3 where error != .number(EPIPE) {
                    let lent = Lent([1])
                    error = bench.start(lent, on: near, inline: .allowed, write).completion.error
                }
                guard error == .number(EPIPE) else { return 3 }
            }
            let attempt = Lent(capacity: 0)
            let answer = bench.start(attempt, on: near, inline: .allowed) {
                $0.attempt($1) { _ in ends.near.write([1]) < 0 ? .failed(.number(errno)) : .done(count: 1) }
            }
            return answer.completion.error == .number(EPIPE) ? 0 : 4
        }
        #expect(status == 0)
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
    func forked() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let (read, other) = (Lent(capacity: 4), Lent([1]))
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.far.write([1, 2])
        let status = inChild {
            guard bench.start(other, on: near, { $0.read($1, at: nil) }) == .refused(.number(ECHILD)) else { return 1 }
            guard bench.start(other, on: near, { $0.write($1, count: 1, at: nil) }) == .refused(.number(ECHILD)) else { return 2 }
            guard bench.start(other, on: near, { $0.poll($1, .readable) }) == .refused(.number(ECHILD)) else { return 3 }
            do throws(AssociationError) {
                try bench.port.associate(ends.far.handle, as: HandleKey(slot: 5, generation: 5), options: [])
                return 4
            } catch {
                guard error == .forked else { return 5 }
            }
            bench.dissociate(near)
            bench.port.close()
            // A port of the child's own takes the descriptor that the parent's has.
            guard let own = try? PortBench(), let mine = try? own.associate(ends.near) else { return 6 }
            own.dissociate(mine)
            return 0
        }
        #expect(status == 0)
        #expect(bench.packet(of: read) == Completion(count: 2), "the registration is still there, and so is its event")
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.far.write([3])
        #expect(bench.packet(of: read) == Completion(count: 1))
        bench.end()
    }

    @Test("A fork that waits on its parent's port is told so, and takes no event from it")
    func forkedWait() throws {
        let bench = try PortBench()
        let status = inChild {
            // Away with the sentence of the trap: it is not this process's.
            close(2)
            return Int32(bench.wait(.poll).count)
        }
        #expect(status > 128, "ended by a trap")
        bench.end()
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

    @Test("A steady exchange costs a read, a write and one look at the kernel, and no memory", arguments: [Carrier.tcp])
    func steadyState(_ carrier: Carrier) async throws {
        await #expect(processExitsWith: .success) {
            let bench = try PortBench()
            let ends = Carrier.tcp.open()
            let near = try bench.associate(ends.near)
            let (read, write) = (Lent(capacity: 64), Lent([1]))
            let rounds: UInt64 = 100
            let raw = RawPort(bench.port, near)
            for _ in 0..<10 { raw.exchange(read, write, ends.far) }
            let before = portloop_test_counts()
            for _ in 0..<rounds { raw.exchange(read, write, ends.far) }
            let after = portloop_test_counts()
            if portloop_test_can_count() == 1 {
                // The far end writes and reads once a round, too.
                require(after.reads - before.reads == 2 * rounds)
                require(after.writes - before.writes == 2 * rounds)
                require(after.waits - before.waits == rounds)
                require(after.epoll_control == before.epoll_control)
                require(after.allocations == before.allocations)
            }
            bench.end()
        }
    }
}

/// The port without the books of a ``PortBench``, which allocate.
@safe private struct RawPort {
    private let port: EpollPort
    private let near: Associated
    private let batch: UnsafeMutableBufferPointer<Packet>
    private let byte: UnsafeMutablePointer<UInt8>

    init(_ port: EpollPort, _ near: Associated) {
        self.port = port
        self.near = near
        unsafe batch = .allocate(capacity: 16)
        unsafe byte = .allocate(capacity: 1)
        unsafe byte.pointee = 7
    }

    /// A read that waits, a byte from the far end, and an answer to it.
    func exchange(_ read: Lent, _ write: Lent, _ far: OpenFile) {
        read.begin(on: near)
        write.begin(on: near)
        require(port.read(read.request(.allowed), at: nil) == .owesPacket)
        unsafe require(Glibc.write(far.fd, byte, 1) == 1)
        var count = 0
        while count == 0 { count = unsafe port.wait(into: batch, for: .forever) }
        unsafe require(count == 1 && batch[0].completion.count == 1)
        require(port.write(write.request(.allowed), count: 1, at: nil) == .completed(Completion(count: 1)))
        unsafe require(Glibc.read(far.fd, byte, 1) == 1)
    }
}

/// Runs a function in a fork of the process and returns its result, or 128 and the signal that ended it.
private func inChild(_ body: () -> Int32) -> Int32 {
    unsafe withUnsafePointer(to: body) { body in
        unsafe portloop_test_in_child(
            { body in body.map { unsafe $0.assumingMemoryBound(to: (() -> Int32).self).pointee() } ?? -1 },
            UnsafeMutableRawPointer(mutating: body))
    }
}

private func isBrokenPipeBlocked() -> Bool {
    var mask = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
    return unsafe sigismember(&mask, SIGPIPE) == 1
}
