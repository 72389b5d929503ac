internal import LoopCore

/// Something a handle can name. Subclasses know how to do work; this one knows who waits for it.
class SimulatedObject {
    /// The number it has now; invalid once that is closed.
    var handle = NativeHandle.invalid
    /// Whose it is: the association that the port was given last.
    var key: HandleKey?
    private var reads: [SimulatedOperation] = []
    private var writes: [SimulatedOperation] = []
    private var polls: [SimulatedOperation] = []

    // MARK: what subclasses do

    /// Tries to do an operation's work. Nil: nothing there yet. Bytes count as moved when this has moved them.
    func perform(_ operation: SimulatedOperation, _ kernel: SimulatedKernel) -> Completion? { nil }

    /// What a poll would find.
    var readiness: Readiness { [] }

    /// Non-blocking calls of the other side, of tests, and of an adapter's own functions. Each returns what it moved.
    func put(_ bytes: ArraySlice<UInt8>, _ kernel: SimulatedKernel) -> Int { 0 }

    /// See ``put(_:_:)``; nil where there is nothing, which is not the end.
    func take(_ bytesMax: Int, _ kernel: SimulatedKernel) -> ArraySlice<UInt8>? { nil }

    /// Its last handle was closed, or the cable was pulled.
    func hangUp(_ kernel: SimulatedKernel) {}

    // MARK: the queues

    /// Whether anybody waits.
    var isIdle: Bool { reads.isEmpty && writes.isEmpty && polls.isEmpty }

    /// Everything parked here, reads first, each queue in order.
    var parked: [SimulatedOperation] { reads + writes + polls }

    func park(_ operation: SimulatedOperation, _ lane: Lane) {
        switch lane {
        case .reads: reads.append(operation)
        case .writes: writes.append(operation)
        case .polls: polls.append(operation)
        }
    }

    func unpark(_ operation: SimulatedOperation) {
        reads.removeAll { $0 === operation }
        writes.removeAll { $0 === operation }
        polls.removeAll { $0 === operation }
    }

    /// The operation a queue would do next.
    func head(_ lane: Lane) -> SimulatedOperation? {
        switch lane {
        case .reads: reads.first
        case .writes: writes.first
        case .polls: nil
        }
    }

    /// Writes that wait behind others.
    var parkedWrites: [SimulatedOperation] { writes }

    var parkedPolls: [SimulatedOperation] { polls }

    /// Another object's operations come first here. Only ``KernelBug/followsNumbers`` does this.
    func inherit(_ other: SimulatedObject) {
        for operation in other.parked { operation.object = self }
        reads = other.reads + reads
        writes = other.writes + writes
        polls = other.polls + polls
        other.reads = []
        other.writes = []
        other.polls = []
    }
}
