internal import LoopCore

/// What connections arrive at. A client is connected as soon as there is room in the backlog, whether or not anybody accepts it.
final class Listener: SimulatedObject {
    let address: SocketAddress
    private let backlogMax: Int
    private let bytesMax: Int
    /// Server ends that nobody has accepted.
    private var backlog: [StreamEnd] = []
    /// Clients whose connect waits for room.
    private var waiting: [StreamEnd] = []

    init(address: SocketAddress, backlogMax: Int, bytesMax: Int) {
        self.address = address
        self.backlogMax = backlogMax
        self.bytesMax = bytesMax
    }

    var hasRoom: Bool { backlog.count < backlogMax }

    /// Connects a client, or notes that it waits.
    func admit(_ client: StreamEnd, _ kernel: SimulatedKernel) -> Bool {
        guard hasRoom else {
            if !waiting.contains(where: { $0 === client }) { waiting.append(client) }
            return false
        }
        let server = StreamEnd(bytesMax: bytesMax)
        server.join(client)
        backlog.append(server)
        kernel.touch(self)
        return true
    }

    override func perform(_ operation: SimulatedOperation, _ kernel: SimulatedKernel) -> Completion? {
        switch operation.verb {
        case .accept: accept(operation, kernel)
        case .read, .write, .receive, .send, .connect: SimulatedStatus.invalidRequest.completion()
        case .poll, .attempt, .native: nil
        }
    }

    private func accept(_ operation: SimulatedOperation, _ kernel: SimulatedKernel) -> Completion? {
        guard operation.fate != .failing else { return operation.fate.status.completion() }
        guard !backlog.isEmpty else { return nil }
        let server = backlog.removeFirst()
        operation.memory.address = address
        let retries = waiting
        waiting = []
        for client in retries { kernel.touch(client) }
        return SimulatedStatus.success.completion(acquired: kernel.register(server))
    }

    override var readiness: Readiness { backlog.isEmpty ? [] : .readable }

    override func hangUp(_ kernel: SimulatedKernel) {
        for server in backlog { server.hangUp(kernel) }
        backlog = []
        let retries = waiting
        waiting = []
        for client in retries { kernel.touch(client) }
    }
}
