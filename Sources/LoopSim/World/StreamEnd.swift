internal import LoopCore

/// One end of a connected byte stream: what the other end wrote waits here, in a buffer with a bound.
final class StreamEnd: SimulatedObject {
    private var incoming: ByteQueue
    /// The other end, or nil before there is one. Two ends hold each other until one hangs up.
    private(set) var peer: StreamEnd?
    private var connection = Connection.none

    private enum Connection {
        case none
        case open
        /// One side is gone: what has arrived can still be read.
        case over
    }

    init(bytesMax: Int) { incoming = ByteQueue(bytesMax: bytesMax) }

    /// Joins two ends.
    func join(_ other: StreamEnd) {
        (peer, other.peer) = (other, self)
        (connection, other.connection) = (.open, .open)
    }

    override func perform(_ operation: SimulatedOperation, _ kernel: SimulatedKernel) -> Completion? {
        switch operation.verb {
        case .read: read(operation, kernel)
        case .write(let segments, _): write(operation, segments, kernel)
        case .connect: connect(operation, kernel)
        case .receive, .send, .accept: SimulatedStatus.invalidRequest.completion()
        case .poll, .attempt, .native: nil
        }
    }

    /// What is there, at least one byte; zero bytes at the end of the stream. A read without room waits for a byte and leaves it there.
    private func read(_ operation: SimulatedOperation, _ kernel: SimulatedKernel) -> Completion? {
        guard connection != .none else { return SimulatedStatus.invalidRequest.completion() }
        let fate = operation.fate
        guard incoming.count > 0 || fate.needsNothing else {
            return connection == .over ? SimulatedStatus.success.completion() : nil
        }
        let bytes = incoming.removeFirst(fate.share(of: min(incoming.count, operation.memory.capacity)))
        let count = operation.memory.put(bytes)
        if count > 0, let peer { kernel.touch(peer) }
        return fate.status.completion(count: count)
    }

    /// All bytes, in as many portions as the other end has room for.
    private func write(_ operation: SimulatedOperation, _ segments: [Range<Int>], _ kernel: SimulatedKernel) -> Completion? {
        let total = segments.reduce(0) { $0 + $1.count }
        let goal = operation.fate == .failing ? total / 2 : total
        guard connection != .none else { return SimulatedStatus.invalidRequest.completion() }
        guard let peer else { return SimulatedStatus.brokenPipe.completion(count: operation.moved) }
        var bytes: [UInt8] = []
        for segment in segments { bytes += operation.memory.bytes(segment) }
        let accepted = peer.incoming.append(bytes[operation.moved..<goal])
        operation.moved += accepted
        if accepted > 0 { kernel.touch(peer) }
        return operation.moved == goal ? operation.fate.status.completion(count: goal) : nil
    }

    private func connect(_ operation: SimulatedOperation, _ kernel: SimulatedKernel) -> Completion? {
        guard connection == .none else { return SimulatedStatus.invalidRequest.completion() }
        guard operation.fate != .failing else { return operation.fate.status.completion() }
        guard let address = operation.memory.address, let listener = kernel.listener(at: address) else {
            return SimulatedStatus.connectionRefused.completion()
        }
        guard listener.admit(self, kernel) else { return nil }
        return SimulatedStatus.success.completion()
    }

    override var readiness: Readiness {
        var found: Readiness = []
        if incoming.count > 0 || connection == .over { found.insert(.readable) }
        if let peer, peer.incoming.room > 0 { found.insert(.writable) }
        if connection == .over { found.insert(.hangup) }
        return found
    }

    override func put(_ bytes: ArraySlice<UInt8>, _ kernel: SimulatedKernel) -> Int {
        guard let peer else { return 0 }
        let accepted = peer.incoming.append(bytes)
        if accepted > 0 { kernel.touch(peer) }
        return accepted
    }

    override func take(_ bytesMax: Int, _ kernel: SimulatedKernel) -> ArraySlice<UInt8>? {
        guard incoming.count > 0 else { return connection == .over ? [] : nil }
        let bytes = incoming.removeFirst(bytesMax)
        if let peer { kernel.touch(peer) }
        return bytes
    }

    override func hangUp(_ kernel: SimulatedKernel) {
        connection = .over
        guard let other = peer else { return }
        peer = nil
        other.peer = nil
        other.connection = .over
        kernel.touch(other)
        kernel.touch(self)
    }
}
