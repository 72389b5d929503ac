internal import LoopCore
internal import LoopSim
internal import _Concurrency

/// A pipe whose near end a fiber reads and writes.
struct TaskPipe: Sendable {
    private let near: NativeHandle
    private let handle: AssociatedHandle
    /// The other end's handle.
    let far: Int

    init(_ loop: isolated EventLoop) throws(Unmet) {
        let ends = Win32.pipePair(near: .server)
        near = ends.near
        far = ends.far.rawValue
        do throws(AssociationError) { handle = try loop.operations.associate(near) } catch { throw .failed("the pipe was refused") }
    }

    func read(_ loop: isolated EventLoop, timeout: Duration?) async -> TaskRead {
        do throws(OperationError) {
            let outcome = try await loop.operations.perform(on: handle, capacity: 16, timeout: timeout) { op in op.read() }
            return TaskRead(end: outcome.end, bytes: outcome.copyBytes())
        } catch { return TaskRead(end: nil, bytes: []) }
    }

    func writeShielded(_ loop: isolated EventLoop, _ bytes: [UInt8]) async -> Bool {
        do throws(OperationError) {
            let outcome = try await loop.operations.performShielded(on: handle, capacity: bytes.count) { op in
                op.withBuffer { buffer in
                    for place in bytes.indices { buffer.storeBytes(of: bytes[place], toByteOffset: place, as: UInt8.self) }
                }
                return op.write(count: bytes.count)
            }
            return outcome.end == .finished && outcome.count == bytes.count
        } catch { return false }
    }

    func close(_ loop: isolated EventLoop) async {
        do throws(OperationError) { _ = try await loop.operations.awaitRetire(handle) } catch { trap("the pipe was not associated") }
        Win32.close(near)
        Win32.close(NativeHandle(rawValue: far))
    }
}

/// What a read came to; no end where it was refused.
struct TaskRead: Sendable {
    let end: WaitEnd?
    let bytes: [UInt8]
}
