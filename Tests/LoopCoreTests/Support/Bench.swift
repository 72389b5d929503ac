import Testing

@testable import LoopCore

/// A loop on a mock port, both on the present thread, and the few calls that most tests begin with.
final class Bench {
    let loop: EventLoop
    let port: MockPort
    let ops: Operations
    private var handles: [AssociatedHandle] = []

    init(_ limits: Limits) throws {
        loop = EventLoop(port: MockPort(), limits: limits)
        ops = loop.operationsOnThisThread()
        port = try #require(ops.core.port as? MockPort)
    }

    /// Runs a test on a bench of its own, and looks at what it leaves behind: nothing.
    static func run(_ limits: Limits = Limits(), _ body: (Bench) throws -> Void) throws {
        let bench = try Bench(limits)
        try body(bench)
        try bench.clear()
    }

    /// As ``run(_:_:)``, on a thread of its own: for tasks that come from the pool.
    static func runBesides<R: Sendable>(
        _ limits: Limits = Limits(), _ body: @escaping @Sendable (Bench) throws -> R
    ) async throws -> R {
        try await RealThread.besides {
            let bench = try Bench(limits)
            let result = try body(bench)
            try bench.clear()
            return result
        }
    }

    /// Nothing is in flight, no handle is open, no timer waits, and the ledger is whole.
    func clear() throws {
        for handle in handles where ops.isAssociated(handle) { try ops.retire(handle) }
        loop.turn(.poll)
        try ops.checkInvariants()
        #expect(ops.metrics.operations.inFlight == 0, "operations in flight at the end")
        #expect(ops.metrics.handles == 0, "handles at the end")
        #expect(ops.metrics.timersWaiting == 0, "timers at the end")
        #expect(loop.shutdown().isClean)
    }

    @discardableResult
    func associate(_ number: Int = 3) throws(AssociationError) -> AssociatedHandle {
        let handle = try ops.associate(NativeHandle(rawValue: number))
        handles.append(handle)
        return handle
    }

    /// The handle that was associated last.
    var lastHandle: AssociatedHandle {
        get throws { try #require(handles.last) }
    }

    // SAFETY: the memory is left to the port.
    @discardableResult
    func prepare(_ handle: AssociatedHandle, capacity: Int = 0, tag: UInt64 = 0) throws(OperationError) -> OperationID {
        unsafe try ops.prepare(handle, tag: tag, capacity: capacity).id
    }

    /// A read that waits for its packet.
    func read(_ handle: AssociatedHandle, capacity: Int = 16, tag: UInt64 = 0) throws -> OperationID {
        let id = try prepare(handle, capacity: capacity, tag: tag)
        try ops.read(id)
        return id
    }

    /// The request of the operation that was started last.
    var request: PortRequest {
        get throws { try #require(port.requests.last) }
    }

    /// Turns without blocking until nothing is left to do.
    func settle() {
        repeat { loop.turn(.poll) } while loop.nextDeadline <= loop.now
    }

    /// Lets time pass outside the loop.
    func advance(nanoseconds: UInt64) { port.clock = port.clock.advanced(by: nanoseconds) }

    /// Turns until everything is done that is due, and then everything that is due so much later.
    func turnPast(_ nanoseconds: UInt64) {
        settle()
        advance(nanoseconds: nanoseconds)
        settle()
    }
}

extension EventLoop {
    /// The port, for functions that are isolated to the loop.
    nonisolated var mock: MockPort {
        get throws { try #require(core.port as? MockPort) }
    }
}
