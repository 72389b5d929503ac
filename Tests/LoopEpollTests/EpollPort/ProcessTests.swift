import CLoopEpoll
import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import Testing

// Each test has a process of its own, because it is about something that the process has one of: its signals, its descriptors, its
// threads, its forks. Hence none runs on a thread with descriptors of its own, where the plumbing of an exit test would not be at home.

@Suite("EpollPort: the process around it") struct ProcessTests {
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
                $0.attempt($1, nil) { _ in ends.near.write([1]) < 0 ? .failed(.number(errno)) : .done(count: 1) }
            }
            require(answer.completion.error == .number(EPIPE))
        }
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

    @Test("A fork that waits while its parent is in the middle of an answer takes nothing of what is left of it")
    func forkedInTheMiddle() async throws {
        await #expect(processExitsWith: .success) {
            let bench = try PortBench()
            let lines = (0..<36).map { _ in Carrier.unixStream.open() }
            for ends in lines {
                let near = try bench.associate(ends.near)
                bench.start(Lent(capacity: 4), on: near) { $0.read($1, at: nil) }
                ends.far.write([1])
            }
            require(bench.wait(.poll).count == 32)
            let status = inChild {
                close(2)
                return Int32(bench.wait(.poll).count)
            }
            require(status > 128)
            require(bench.packets(4).allSatisfy { $0.completion == Completion(count: 1) })
            bench.end()
        }
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
            let before = portloop_test_counts()
            for _ in 0..<100 { raw.exchange(read, write) }
            require(isSteady(before, portloop_test_counts(), rounds: 100) || portloop_test_can_count() == 0)
            bench.end()
        }
    }

    @Test("An accept that finds no descriptor free is tried again when one may be, though no edge tells of it")
    func shortage() async throws {
        // The limit is the process's, and what other threads of a test runner open and close must not matter.
        await #expect(processExitsWith: .success) {
            Helper {
                require(portloop_test_unshare_descriptors(3) == 0)
                acceptWithoutDescriptors()
            }.join()
        }
    }

    @Test("A descriptor that another port has is refused until that one has let go of it")
    func twoPorts() async throws {
        // Numbers are the process's, so in one of its own: here other tests have others under the same numbers.
        await #expect(processExitsWith: .success) {
            let (bench, other) = (try PortBench(), try PortBench())
            let ends = Carrier.tcp.open()
            let near = try bench.associate(ends.near)
            require(refusal { try other.associate(ends.near) } == .boundElsewhere)
            bench.dissociate(near)
            _ = try other.associate(ends.near)
            other.end()
            _ = try bench.associate(ends.near)
            bench.end()
        }
    }

    @Test("A number that another port had under an older object is not taken for it")
    func twoPortsRecycled() async throws {
        await #expect(processExitsWith: .success) {
            let (bench, other) = (try PortBench(), try PortBench())
            let first = Carrier.tcp.open().near
            let number = first.fd
            let old = try bench.associate(first)
            let second = Carrier.tcp.open().near
            first.close()
            let moved = second.moved(to: number)
            let near = try other.associate(moved)
            // The older port's farewell is not the newer's.
            bench.dissociate(old)
            require(refusal { try bench.associate(moved) } == .boundElsewhere)
            other.dissociate(near)
            other.end()
            bench.end()
        }
    }

    @Test("Without work there is no thread; with it there are two at most, and none when the port is closed")
    func threads() async throws {
        await #expect(processExitsWith: .success) {
            let bench = try PortBench()
            require(workerCount() == 0)
            let near = try bench.associate(OpenFile(path: "/dev/zero", O_RDONLY))
            for _ in 0..<40 { bench.start(Lent(capacity: 1), on: near) { $0.read($1, at: FileOffset(0)) } }
            _ = bench.packets(40)
            require((1...2).contains(workerCount()))
            bench.end()
            require(workerCount() == 0)
            require(bench.port.portMetrics.abandonedThreads == 0)
        }
    }

    @Test(
        "A thread that hangs when the port is closed is left behind, and counted",
        .enabled(if: HangingMemory.isPossible, "userfaultfd is not allowed here"))
    func abandoned() async throws {
        await #expect(processExitsWith: .success) {
            let bench = try PortBench()
            let near = try bench.associate(OpenFile(path: "/dev/zero", O_RDONLY))
            let hanging = HangingMemory()
            let read = hanging.lend()
            bench.start(read, on: near) { $0.read($1, at: FileOffset(0)) }
            hanging.awaitTouch()
            bench.port.close()
            require(bench.port.portMetrics.abandonedThreads == 1)
            hanging.release()
            while workerCount() > 0 {}
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

private func acceptWithoutDescriptors() {
    guard let bench = try? PortBench() else { trap("There is no port.") }
    let (listener, address) = openListener()
    guard let near = try? bench.associate(listener) else { trap("The listener was refused.") }
    let client = openSocket(AF_INET, SOCK_STREAM)
    client.connect(address)
    let lowestFree = client.duplicate()
    let number = lowestFree.fd
    lowestFree.close()
    var usual = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &usual)
    var none = usual
    none.rlim_cur = rlim_t(number)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
    let accept = Lent(capacity: 0)
    bench.start(accept, on: near) { $0.accept($1) }
    // Twice: once at the edge, and once at least without one.
    while bench.port.portMetrics.shortages < 2 { require(bench.wait(.forever).isEmpty) }
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &usual)
    let completion = bench.packet(of: accept)
    require(completion.error == .none && completion.acquired.rawValue == Int(number))
    bench.port.close(acquired: completion.acquired)
    bench.end()
}

private func refusal(_ call: () throws -> Associated) -> AssociationError? {
    do {
        _ = try call()
        return nil
    } catch {
        return error as? AssociationError
    }
}

/// How many threads of this process have the workers' name.
private func workerCount() -> Int {
    guard let folder = unsafe opendir("/proc/self/task") else { return -1 }
    defer { unsafe closedir(folder) }
    var count = 0
    while let entry = unsafe readdir(folder) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        // A thread may end between the list and the look.
        guard name.first != ".", let file = OpenFile.orNil(path: "/proc/self/task/\(name)/comm", O_RDONLY) else { continue }
        if file.read() == Array("portloop-file\n".utf8) { count += 1 }
    }
    return count
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
