import Portloop
import Rfc2217
import SerialOps
import SocketOps

/// A serial port and those who share it: all hear what it says, and what any of them says is sent. It lives on the loop.
actor Bridge: OnLoop {
    /// What a client may be behind: so many pieces of 4 KiB. Who is further behind is shown out.
    static let piecesWaitingMax = 256

    nonisolated let loop: EventLoop
    nonisolated let port: SerialPort
    /// Open while there is somebody to be told about the lines.
    nonisolated let hasListeners: Gate
    /// One changes the settings at a time: they are read, changed and written.
    let changes: AsyncMutex
    var clients: [Int: Client] = [:]
    private var lastNumber = 0
    /// The lines and the break as clients have set them.
    var lines = (dtr: true, rts: true)
    var breaking: Fiber<Void, Never>?

    init(_ port: SerialPort) {
        loop = port.loop
        self.port = port
        hasListeners = Gate(on: loop)
        changes = AsyncMutex(on: loop)
    }

    func enter(_ stream: some ByteStream) -> Client {
        lastNumber += 1
        let (bytes, mayBeTold) = (Channel<[UInt8]>(on: loop, capacity: Bridge.piecesWaitingMax), Gate(on: loop, .open))
        let writer = loop.spawn(name: "to client \(lastNumber)") { _ async in await tell(stream, bytes, mayBeTold) }
        let client = Client(number: lastNumber, bytes: bytes, mayBeTold: mayBeTold, writer: writer)
        clients[client.number] = client
        return client
    }

    func leave(_ client: Client) {
        clients[client.number] = nil
        client.bytes.close()
        client.writer.cancel()
        if !clients.values.contains(where: \.isComPort) { hasListeners.close() }
        if clients.isEmpty { breaking?.cancel() }
    }

    /// Tells everybody, and waits for nobody.
    func tellAll(_ bytes: [UInt8]) {
        let escaped = Telnet.escaped(bytes)
        for client in clients.values where client.bytes.trySend(escaped) == .full { leave(client) }
    }

    /// Sends to the device, however slow that is; false where it is gone, or has taken nothing for two minutes.
    func send(_ bytes: [UInt8]) async -> Bool {
        var rest = bytes
        while true {
            do throws(SerialError) {
                try await port.write(rest, timeout: .seconds(120))
                return true
            } catch {
                guard case .timedOut(_, let moved) = error, moved > 0 else { return false }
                rest.removeFirst(moved)
            }
        }
    }
}

/// What the bridge knows of a client.
struct Client: Sendable {
    let number: Int
    /// What the device has said, escaped.
    let bytes: Channel<[UInt8]>
    /// Closed while the client wants to hear nothing.
    let mayBeTold: Gate
    /// Tells it.
    let writer: Fiber<Void, Never>
    /// Whether it has said that it sets the port, and which changes of the lines it wants to hear of: those of the RFC until it says.
    var isComPort = false
    var lineStateMask: UInt8 = 0
    var modemStateMask: UInt8 = 255
}

/// Writes what the device says, and holds up nobody by it.
func tell(_ stream: some ByteStream, _ bytes: Channel<[UInt8]>, _ mayBeTold: Gate) async {
    do {
        while let piece = try await bytes.receive() {
            try await mayBeTold.wait()
            try await stream.write(piece, timeout: .seconds(60))
        }
    } catch {
        // Shown out, gone, or too slow.
    }
    await stream.end()
}
