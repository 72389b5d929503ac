// example: Sensor
import LoopCore

/// A device that sends measurements of two bytes.
actor Sensor: OnLoop {
    nonisolated let loop: EventLoop
    private let native: NativeHandle
    private lazy var operations = loop.operations(for: self)
    private var handle: AssociatedHandle?

    init(_ native: NativeHandle, on loop: EventLoop) {
        self.native = native
        self.loop = loop
    }

    func open() throws(AssociationError) { handle = try operations.associate(native) }

    /// The next measurement.
    func measure(timeout: Duration) async throws(SensorError) -> UInt16 {
        guard let handle else { throw .closed }
        let outcome: Outcome
        do throws(OperationError) {
            outcome = try await operations.perform(on: handle, capacity: 2, timeout: timeout) { op in op.read() }
        } catch {
            throw error == .cancelled ? .cancelled : .notStarted(error)
        }
        switch outcome.end {
        case .timedOut: throw .timedOut
        case .cancelled: throw .cancelled
        case .stuck(let operation): throw .stuck(operation)
        case .finished: break
        }
        guard outcome.error == .none else { throw .system(outcome.error) }
        guard outcome.count == 2 else { throw .cutShort(outcome.count) }
        let bytes = outcome.copyBytes()
        return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    }

    /// Returns when the native handle may be closed.
    func close() async {
        guard let handle else { return }
        self.handle = nil
        _ = try? await operations.awaitRetire(handle)
    }
}

/// Why there is no measurement.
enum SensorError: Error, Hashable {
    case closed
    case timedOut
    case cancelled
    /// The driver answers neither the read nor its cancel.
    case stuck(StuckOperation)
    /// The system's own code.
    case system(SystemCode)
    /// Half a measurement, or none.
    case cutShort(Int)
    /// The loop did not start the read.
    case notStarted(OperationError)
}
// example end
