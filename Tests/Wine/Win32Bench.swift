internal import CLoopWin32
internal import LoopCore
internal import LoopSim
internal import LoopWin32

/// A loop on the real port, for cases about Windows itself.
///
/// The port is under the checked port, so every case also finds what breaks the contract. What a case leaves behind fails it: ``end()``.
final class Win32Bench {
    let check: Check
    let loop: EventLoop
    let ops: Operations
    /// The completion port's handle.
    let nativePort: Int
    private let portAddress: UInt
    private var open: [NativeHandle] = []
    private var breaches: Found<[String]>
    /// Set by cases that break the contract themselves.
    var toleratesBreaches = false

    /// A port with faults is not checked: what is wrong with it, the case itself has to find.
    // SAFETY: an address; see `readinessRequests`.
    init(_ check: Check, faults: Win32Faults = []) throws(Unmet) {
        self.check = check
        let breaches = Found<[String]>([])
        self.breaches = breaches
        var limits = Limits()
        limits.cancelGraceNanoseconds = 200_000_000
        limits.shutdownBoundNanoseconds = 200_000_000
        do throws(Win32PortError) {
            let port = try Win32Port(faults: faults)
            nativePort = port.nativePort
            portAddress = unsafe UInt(bitPattern: Unmanaged.passUnretained(port).toOpaque())
            if faults.isEmpty {
                let checked = CheckedPort(port, latenessMaxNanoseconds: .max) { breaches.value.append($0.description) }
                loop = EventLoop(port: checked, limits: limits)
            } else {
                loop = EventLoop(port: port, limits: limits)
            }
            ops = loop.operationsOnThisThread()
        } catch { throw .failed("no port: error \(error.code.rawValue)") }
    }

    /// Questions to the driver of sockets so far.
    // SAFETY: the loop keeps its port, and this thread is the loop's.
    var readinessRequests: Int {
        guard let port = unsafe UnsafeRawPointer(bitPattern: portAddress) else { return 0 }
        return unsafe Int(Unmanaged<Win32Port>.fromOpaque(port).takeUnretainedValue().readinessRequests)
    }

    var counts: LedgerCounts { ops.metrics.operations }

    // MARK: handles

    /// Closes it when the case ends.
    @discardableResult
    func keep(_ handle: Int) -> NativeHandle {
        let handle = NativeHandle(rawValue: handle)
        open.append(handle)
        return handle
    }

    func keep(_ ends: StreamEnds) -> StreamEnds {
        open += [ends.near, ends.far]
        return ends
    }

    func close(_ handle: NativeHandle) {
        open.removeAll { $0 == handle }
        Win32.close(handle)
    }

    /// Closes a socket so that its peer sees a reset.
    func abort(_ socket: NativeHandle) {
        open.removeAll { $0 == socket }
        _ = portloop_win32_socket_abort(socket.rawValue)
    }

    func associate(_ handle: NativeHandle) throws(Unmet) -> AssociatedHandle {
        do throws(AssociationError) { return try ops.associate(handle) } catch { throw .failed("associate was refused: \(error.name)") }
    }

    func associate(_ handle: Int) throws(Unmet) -> AssociatedHandle { try associate(keep(handle)) }

    /// The association MUST be refused for this reason.
    func expectRefusal(_ expected: AssociationError, _ what: String, _ handle: NativeHandle) {
        do throws(AssociationError) {
            _ = try ops.associate(handle)
            check.fail("\(what) was accepted")
        } catch {
            check.expect(error == expected, "\(what) was refused for another reason: \(error.name)")
        }
    }

    func retire(_ handle: AssociatedHandle) throws(Unmet) {
        let report = Found<RetireReport?>(nil)
        try must("retire") { () throws(OperationError) in try ops.retire(handle) { report.value = $0 } }
        try turn(until: "the handle to be retired") { report.value != nil }
        check.expectEqual(report.value?.stuck ?? -1, 0, "stuck operations of a handle")
    }

    /// A connected pair of which the near end is associated.
    func tcp() throws(Unmet) -> (AssociatedHandle, StreamEnds) {
        let ends = keep(Win32.tcpPair())
        return (try associate(ends.near), ends)
    }

    func udp() throws(Unmet) -> (AssociatedHandle, StreamEnds) {
        let ends = keep(Win32.udpPair())
        return (try associate(ends.near), ends)
    }

    func pipe(_ mode: Win32.PipeMode = .bytes, near: Win32.PipeEnd = .server) throws(Unmet) -> (AssociatedHandle, StreamEnds) {
        let ends = keep(Win32.pipePair(near: near, mode))
        return (try associate(ends.near), ends)
    }

    // MARK: operations

    /// The call MUST succeed, or the case cannot go on.
    @discardableResult
    func must<R: ~Copyable>(_ what: String, _ call: () throws(OperationError) -> R) throws(Unmet) -> R {
        do throws(OperationError) { return try call() } catch { throw .failed("\(what) was refused: \(error.words)") }
    }

    // SAFETY: the buffer is the operation's while it is prepared.
    func prepare(
        _ handle: AssociatedHandle, capacity: Int = 0, holding bytes: [UInt8] = [], address: AddressRoom = .none
    ) throws(Unmet) -> OperationID {
        try must("prepare") { () throws(OperationError) in
            let memory = unsafe try ops.prepare(handle, capacity: max(capacity, bytes.count), address: address)
            unsafe memory.buffer.copyBytes(from: bytes)
            return unsafe memory.id
        }
    }

    func read(_ handle: AssociatedHandle, capacity: Int = 64, at offset: UInt64? = nil) throws(Unmet) -> OperationID {
        let id = try prepare(handle, capacity: capacity)
        try must("read") { () throws(OperationError) in try ops.read(id, at: offset.map { FileOffset($0) }) }
        return id
    }

    func write(_ handle: AssociatedHandle, _ bytes: [UInt8], at offset: UInt64? = nil) throws(Unmet) -> OperationID {
        let id = try prepare(handle, holding: bytes)
        try must("write") { () throws(OperationError) in try ops.write(id, count: bytes.count, at: offset.map { FileOffset($0) }) }
        return id
    }

    func poll(_ handle: AssociatedHandle, _ interest: Readiness) throws(Unmet) -> OperationID {
        let id = try prepare(handle)
        try must("poll") { () throws(OperationError) in try ops.poll(id, interest) }
        return id
    }

    /// An adapter's own call.
    func native(
        _ handle: AssociatedHandle, capacity: Int = 64,
        _ call: @escaping (LentToCall) -> UInt32
    ) throws(Unmet) -> OperationID {
        try must("a native call") { () throws(OperationError) in
            // SAFETY: the block begins with an OVERLAPPED, and is the operation's until the packet.
            try ops.perform(on: handle, capacity: capacity) { op in
                unsafe op.submit { block, buffer in
                    let overlapped = unsafe block.assumingMemoryBound(to: portloop_win32_overlapped.self)
                    return unsafe Int32(bitPattern: call(LentToCall(overlapped: overlapped, buffer: buffer)))
                }
            } completed: { _, _ in
            }
        }
    }

    /// `WSARecv` as an adapter calls it. The control block's address comes with it.
    // SAFETY: the flags are never freed; the rest is the operation's.
    func nativeReceive(_ handle: AssociatedHandle) throws(Unmet) -> (id: OperationID, block: UInt) {
        let block = Found<UInt>(0)
        let flags = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
        unsafe flags.initialize(to: 0)
        let id = try native(handle) { lent in
            block.value = unsafe UInt(bitPattern: lent.overlapped)
            var segment = unsafe portloop_win32_segment(count: lent.count, base: lent.buffer.baseAddress)
            return unsafe portloop_win32_socket_receive(handle.native.rawValue, &segment, 1, flags, lent.overlapped)
        }
        return (id, block.value)
    }

    @discardableResult
    func cancel(_ id: OperationID) throws(Unmet) -> Bool {
        try must("cancel") { () throws(OperationError) in try ops.cancel(id) }
    }

    func phase(_ id: OperationID) -> OperationPhase {
        do throws(OperationError) { return try ops.state(id) } catch { return .free }
    }

    /// Turns the loop until the condition holds, for at most two seconds.
    func turn(until what: String, _ condition: () -> Bool) throws(Unmet) {
        let bound = loop.now.advanced(by: 2_000_000_000)
        while !condition() {
            guard loop.now < bound else { throw .failed("waited two seconds in vain: \(what)") }
            loop.turn(.until(bound))
        }
    }

    /// As ``turn(until:_:)`` for a condition that does something each time it is asked: the loop does not sleep in between.
    func spin(until what: String, _ condition: () -> Bool) throws(Unmet) {
        let bound = loop.now.advanced(by: 2_000_000_000)
        while !condition() {
            guard loop.now < bound else { throw .failed("tried for two seconds in vain: \(what)") }
            loop.turn(.poll)
        }
    }

    /// Lets the kernel do what it has begun.
    func settle() { loop.turn(until: loop.now.advanced(by: 2_000_000)) }

    /// One look at the port, and another: what is there is there.
    func look() {
        loop.turn(.poll)
        loop.turn(.poll)
    }

    struct Result {
        let completion: Completion
        let bytes: [UInt8]
    }

    /// Turns until the operation has completed, and takes its result.
    func finish(_ id: OperationID, _ what: String = "a packet") throws(Unmet) -> Result {
        try turn(until: what) { phase(id) != .submitted }
        var result: Result?
        // A native call has a waiter, who is told in a phase of its own.
        try turn(until: "the result") {
            do throws(OperationError) {
                let outcome = try ops.result(id)
                result = Result(completion: outcome.completion, bytes: outcome.copyBytes())
            } catch { return error != .alreadyAwaited }
            return true
        }
        return try check.must("a result of \(what)", result)
    }

    // MARK: the end

    /// Everything a case leaves behind is its failure.
    func end() {
        do throws(InvariantFailure) { try ops.checkInvariants() } catch { check.fail("invariant \(error.number) is broken") }
        let report = loop.shutdown()
        check.expectEqual(report.operations.count, 0, "operations that were left when the loop ended")
        check.expectEqual(Int(ops.metrics.operations.submitted), 0, "submitted operations at the end")
        if !toleratesBreaches { for sentence in breaches.value { check.fail(sentence) } }
        for handle in open { Win32.close(handle) }
        open = []
    }
}

/// What an adapter's own call gets to hand to the kernel.
@safe struct LentToCall {
    let overlapped: UnsafeMutablePointer<portloop_win32_overlapped>
    let buffer: UnsafeMutableRawBufferPointer

    var count: UInt32 { unsafe UInt32(buffer.count) }
}

/// A place for what a callback brings.
final class Found<Value> {
    var value: Value

    init(_ value: Value) { self.value = value }
}

/// A case that runs on a port of its own, faulty or not, and leaves nothing behind.
struct Win32Case: Sendable {
    let name: String
    private let body: @Sendable (Win32Bench) throws(Unmet) -> Void

    init(_ name: String, _ body: @escaping @Sendable (Win32Bench) throws(Unmet) -> Void) {
        self.name = name
        self.body = body
    }

    var test: Case { Case(name) { check throws(Unmet) in try run(check, faults: []) } }

    func run(_ check: Check, faults: Win32Faults) throws(Unmet) {
        let before = Win32.openCount
        try runOnBench(check, faults)
        check.expectEqual(Win32.openCount, before, "open handles after the case")
    }

    private func runOnBench(_ check: Check, _ faults: Win32Faults) throws(Unmet) {
        let bench = try Win32Bench(check, faults: faults)
        do throws(Unmet) { try body(bench) } catch {
            bench.end()
            throw error
        }
        bench.end()
    }
}

extension Suite {
    init(_ name: String, on port: [Win32Case]) { self.init(name, port.map { $0.test }) }
}

extension AssociationError {
    var name: String {
        switch self {
        case .alreadyAssociated: "already associated"
        case .boundElsewhere: "bound elsewhere"
        case .notOverlapped: "not overlapped"
        case .skipsPackets: "skips packets"
        case .blocking: "blocking"
        case .console: "console"
        case .directory: "directory"
        case .badHandle: "bad handle"
        case .tooMany: "too many"
        case .closed: "closed"
        case .forked: "forked"
        case .system(let code): "error \(code.rawValue)"
        }
    }
}

extension OperationError {
    var words: String {
        switch self {
        case .refused(let code): "error \(code.rawValue)"
        case .notAssociated: "not associated"
        case .wrongState: "wrong state"
        case .stuck: "stuck"
        default: "another reason"
        }
    }
}
