import LoopCore
import LoopSim
import Testing

/// A loop on a simulated port, checked from outside, and the few calls that most tests make.
struct Rig {
    let port: SimulatedPort
    let loop: EventLoop
    let ops: Operations

    init(seed: UInt64 = 1, faults: SimulatedFaults = .none, limits: Limits = Limits()) {
        port = SimulatedPort(seed: seed, faults: faults)
        loop = EventLoop(port: CheckedPort(port), limits: limits)
        ops = loop.operationsOnThisThread()
    }

    /// A stream with its near end associated.
    func stream(bytesMax: Int = 1000) throws -> (handle: AssociatedHandle, near: NativeHandle, far: NativeHandle) {
        let (near, far) = port.makeStreamPair(bytesMax: bytesMax)
        return (try ops.associate(near), near, far)
    }

    func prepare(_ handle: AssociatedHandle, _ bytes: [UInt8]) throws -> OperationID {
        let memory = unsafe try ops.prepare(handle, capacity: bytes.count)
        unsafe memory.buffer.copyBytes(from: bytes)
        return unsafe memory.id
    }

    func read(_ handle: AssociatedHandle, _ capacity: Int = 64) throws -> OperationID {
        let id = unsafe try ops.prepare(handle, capacity: capacity).id
        try ops.read(id)
        return id
    }

    func write(_ handle: AssociatedHandle, _ bytes: [UInt8]) throws -> OperationID {
        let id = try prepare(handle, bytes)
        try ops.write(id, count: bytes.count)
        return id
    }

    /// Turns until the operation has completed, and takes its result.
    func finish(_ id: OperationID) throws -> (completion: Completion, bytes: [UInt8]) {
        try turn { try ops.state(id) != .submitted }
        let outcome = try ops.result(id)
        return (outcome.completion, outcome.copyBytes())
    }

    /// Turns until a condition holds, for at most ten virtual seconds.
    func turn(until isDone: () throws -> Bool) rethrows {
        let bound = port.clock.now.advanced(by: 10_000_000_000)
        while try !isDone(), port.clock.now < bound { loop.turn(.until(bound)) }
    }

    /// Retires a handle, so that it can be closed.
    func retire(_ handle: AssociatedHandle) throws {
        var isDone = false
        try ops.retire(handle) { _ in isDone = true }
        turn { isDone }
        #expect(isDone)
    }

    /// Nothing may be in flight and, once `handles` are closed, nothing open.
    func end(_ handles: NativeHandle...) {
        #expect(loop.shutdown().isClean)
        for handle in handles { port.close(handle) }
        #expect(port.openHandleCount == 0)
    }
}

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }
