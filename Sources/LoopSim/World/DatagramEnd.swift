internal import LoopCore

/// One end of a connected datagram pair: messages with edges, a bounded number of them.
final class DatagramEnd: SimulatedObject {
    private var incoming: [ArraySlice<UInt8>] = []
    private let messagesMax: Int
    private var peer: DatagramEnd?
    /// Where messages seem to come from.
    private let address: SocketAddress

    init(messagesMax: Int, address: SocketAddress) {
        self.messagesMax = messagesMax
        self.address = address
    }

    /// Joins two ends.
    func join(_ other: DatagramEnd) { (peer, other.peer) = (other, self) }

    override func perform(_ operation: SimulatedOperation, _ kernel: SimulatedKernel) -> Completion? {
        switch operation.verb {
        case .receive: receive(operation, kernel)
        case .send(let count): send(operation, count, kernel)
        case .read, .write, .accept, .connect: SimulatedStatus.invalidRequest.completion()
        case .poll, .attempt, .native: nil
        }
    }

    /// One message. What does not fit is cut off and gone, and the status says so. Without any room this waits for a message and leaves it.
    private func receive(_ operation: SimulatedOperation, _ kernel: SimulatedKernel) -> Completion? {
        let fate = operation.fate
        guard !incoming.isEmpty else { return fate.needsNothing ? fate.status.completion() : nil }
        // A message is never shortened by the kernel: only the two fates that bring none, and the status, are honoured.
        if fate == .empty || fate == .failing || operation.memory.capacity == 0 { return fate.status.completion() }
        let message = incoming.removeFirst()
        let count = operation.memory.put(message)
        if let peer {
            operation.memory.address = peer.address
            kernel.touch(peer)
        }
        return (count < message.count ? SimulatedStatus.moreData : fate.status).completion(count: count)
    }

    private func send(_ operation: SimulatedOperation, _ count: Int, _ kernel: SimulatedKernel) -> Completion? {
        guard operation.fate != .failing else { return operation.fate.status.completion() }
        guard let peer else { return SimulatedStatus.brokenPipe.completion() }
        guard peer.admit(operation.memory.bytes(0..<count)[...], kernel) else { return nil }
        return SimulatedStatus.success.completion(count: count)
    }

    private func admit(_ message: ArraySlice<UInt8>, _ kernel: SimulatedKernel) -> Bool {
        guard incoming.count < messagesMax else { return false }
        incoming.append(message)
        kernel.touch(self)
        return true
    }

    override var readiness: Readiness {
        var found: Readiness = []
        if !incoming.isEmpty { found.insert(.readable) }
        if let peer, peer.incoming.count < peer.messagesMax { found.insert(.writable) }
        return found
    }

    override func put(_ bytes: ArraySlice<UInt8>, _ kernel: SimulatedKernel) -> Int {
        guard let peer, peer.admit(bytes, kernel) else { return 0 }
        return bytes.count
    }

    override func take(_ bytesMax: Int, _ kernel: SimulatedKernel) -> ArraySlice<UInt8>? {
        guard !incoming.isEmpty else { return nil }
        guard bytesMax > 0 else { return [] }
        let message = incoming.removeFirst()
        if let peer { kernel.touch(peer) }
        return message.prefix(bytesMax)
    }

    override func hangUp(_ kernel: SimulatedKernel) {
        guard let other = peer else { return }
        peer = nil
        other.peer = nil
        kernel.touch(other)
    }
}
