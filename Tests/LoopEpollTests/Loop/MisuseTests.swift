import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import LoopSim
import Testing

/// Each misuse that the documentation names gives its error, and leaves nothing in flight and nobody waiting.
@Suite("Misuse") struct MisuseTests {
    @Test("A closed descriptor is refused as a bad handle") func closedDescriptor() throws {
        try onLoop { ops in
            let ends = Descriptors.socketPair()
            close(ends.near.descriptor)
            #expect(throws: AssociationError.badHandle) { try ops.associate(ends.near) }
        }
    }

    @Test("A directory is refused as a directory") func directory() throws {
        try onLoop { ops in
            let descriptor = unsafe open("/", O_RDONLY | O_NONBLOCK)
            #expect(throws: AssociationError.directory) { try ops.associate(NativeHandle(descriptor)) }
        }
    }

    @Test("A descriptor in blocking mode is refused, unless the loop may change it") func blockingDescriptor() throws {
        try onLoop { ops in
            let ends = Descriptors.socketPair()
            _ = fcntl(ends.near.descriptor, F_SETFL, 0)
            #expect(throws: AssociationError.blocking) { try ops.associate(ends.near) }
            _ = try ops.associate(ends.near, options: .setNonblocking)
            #expect(fcntl(ends.near.descriptor, F_GETFL) & O_NONBLOCK != 0)
        }
    }

    @Test("A descriptor that this loop or another has is refused by name") func associatedTwice() async {
        await #expect(processExitsWith: .exitCode(0)) { exit(associateTwice()) }
    }

    @Test("A write to a peer that is gone ends with EPIPE, and no signal ends the process") func brokenPipe() throws {
        try onLoop { ops in
            for ends in [Descriptors.socketPair(), Descriptors.pipe(near: .write)] {
                let handle = try ops.associate(ends.near)
                close(ends.far.descriptor)
                #expect(try finish(ops, handle) { $0.write(count: 4) }.error.rawValue == EPIPE)
            }
        }
    }

    @Test("A reset by the peer is an error value, ECONNRESET") func reset() throws {
        try onLoop { ops in
            let ends = Descriptors.tcpPair()
            let handle = try ops.associate(ends.near)
            var hard = linger(l_onoff: 1, l_linger: 0)
            unsafe setsockopt(ends.far.descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
            close(ends.far.descriptor)
            #expect(try finish(ops, handle) { $0.read() }.error.rawValue == ECONNRESET)
        }
    }

    @Test("A full device ends a write with ENOSPC") func fullDevice() throws {
        try onLoop { ops in
            let handle = try ops.associate(NativeHandle(unsafe open("/dev/full", O_WRONLY | O_NONBLOCK)))
            #expect(try finish(ops, handle) { $0.write(count: 4) }.error.rawValue == ENOSPC)
        }
    }

    @Test("An accept without a free descriptor waits for one") func noDescriptorLeft() async {
        await #expect(processExitsWith: .exitCode(0)) { exit(acceptWithoutDescriptors()) }
    }

    @Test("A loop in a forked child refuses handles by name") func forkedChild() async {
        await #expect(processExitsWith: .exitCode(0)) { exit(associateInForkedChild()) }
    }

    @Test("A handle that outlives its loop is told that the loop is closed") func handleOutlivesLoop() throws {
        try onLoop { ops in
            let other = try EventLoop(port: EpollPort()).operationsOnThisThread()
            let handle = try other.associate(Descriptors.socketPair().near)
            other.loop.shutdown()
            #expect(throws: OperationError.closed) {
                try other.perform(on: handle, capacity: 1) {
                    $0.read()
                } completed: { _, _ in
                }
            }
        }
    }

    @Test("A descriptor closed without being retired is named in the dump, and its read ends by its timeout") func closedWithoutRetire()
        throws
    {
        try onLoop { ops in
            let ends = Descriptors.socketPair()
            let handle = try ops.associate(ends.near)
            let end = Box<WaitEnd>()
            try ops.perform(on: handle, capacity: 8, tag: 42, timeout: .milliseconds(5)) {
                $0.read()
            } completed: { id, ended in
                end.value = ended
                try? ops.free(id)
            }
            close(ends.near.descriptor)
            #expect(ops.dump().description.contains("handle \(ends.near.rawValue) tag 42 submitted"))
            while end.value == nil { ops.loop.turn() }
            #expect(end.value == .timedOut)
        }
    }
}

/// Runs on a thread with a loop and a table of descriptors of its own; at the end nothing may be in flight.
private func onLoop(_ body: @escaping @Sendable (Operations) throws -> Void) throws {
    let result = onThreadOfItsOwn { () -> Result<Int, any Error> in
        Result {
            let ops = try EventLoop(port: EpollPort()).operationsOnThisThread()
            try body(ops)
            let report = ops.loop.shutdown()
            return report.operations.count + ops.metrics.completed + ops.metrics.prepared
        }
    }
    #expect(try result.get() == 0, "something was left in flight")
}

/// Starts one operation of four bytes, turns until it has ended, and returns what became of it.
private func finish(
    _ ops: Operations, _ handle: AssociatedHandle, _ start: (consuming PreparedOp) -> Decision
) throws -> Completion {
    let done = Box<Completion>()
    try ops.perform(on: handle, capacity: 4, start) { id, _ in
        done.value = try? ops.withResult(id) { completion, _ in completion }
    }
    while true {
        if let completion = done.value { return completion }
        ops.loop.turn()
    }
}

/// In a process of its own: who has which descriptor is known for the process, and other tests' threads have descriptors of their own.
private func associateTwice() -> Int32 {
    guard let loop = try? EventLoop(port: EpollPort()), let other = try? EventLoop(port: EpollPort()) else { return 90 }
    let ends = Descriptors.socketPair()
    guard (try? loop.operationsOnThisThread().associate(ends.near)) != nil else { return 91 }
    do throws(AssociationError) {
        _ = try loop.operationsOnThisThread().associate(ends.near)
        return 1
    } catch { guard error == .alreadyAssociated else { return 2 } }
    do throws(AssociationError) {
        _ = try other.operationsOnThisThread().associate(ends.near)
        return 3
    } catch { return error == .boundElsewhere ? 0 : 4 }
}

/// In a process of its own, whose limit on descriptors it uses up. Zero if the accept waited and then went through.
// SAFETY: the limit is a structure the calls expect.
private func acceptWithoutDescriptors() -> Int32 {
    guard let ops = try? EventLoop(port: EpollPort()).operationsOnThisThread() else { return 90 }
    let (listener, address) = openListener()
    guard let handle = try? ops.associate(listener.release()) else { return 91 }
    let client = openClient(of: address)
    var limit = rlimit(rlim_cur: 64, rlim_max: 64)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var filler: [Int32] = []
    while true {
        let descriptor = dup(client.fd)
        if descriptor < 0 { break }
        filler.append(descriptor)
    }
    let done = Box<Completion>()
    guard
        (try? ops.perform(on: handle) {
            $0.accept()
        } completed: { id, _ in
            done.value = try? ops.withResult(id) { completion, _ in completion }
        }) != nil
    else { return 92 }
    ops.loop.turn(.poll)
    guard done.value == nil else { return 1 }
    for descriptor in filler { close(descriptor) }
    while done.value == nil { ops.loop.turn() }
    return done.value?.acquired == .invalid ? 2 : 0
}

/// In a process of its own. Zero if the child was told what is wrong.
// SAFETY: the child has a copy of the box, and of everything it names.
private func associateInForkedChild() -> Int32 {
    guard let ops = try? EventLoop(port: EpollPort()).operationsOnThisThread() else { return 90 }
    let ends = Descriptors.socketPair()
    let box = Box<() -> Int32>()
    box.value = {
        do throws(AssociationError) {
            _ = try ops.associate(ends.near)
            return 1
        } catch { return error == .forked ? 0 : 2 }
    }
    return unsafe portloop_test_in_child(
        { argument in
            guard let argument = unsafe argument else { return 99 }
            return unsafe Unmanaged<Box<() -> Int32>>.fromOpaque(argument).takeUnretainedValue().value?() ?? 98
        }, Unmanaged.passUnretained(box).toOpaque())
}

private final class Box<Value> {
    var value: Value?
}
