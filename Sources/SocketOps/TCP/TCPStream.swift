public import LoopCore
internal import StreamOps
internal import _Concurrency

/// A TCP connection.
///
/// ```swift
/// let stream = try await TCPStream.connect("example.com", 80, on: loop, timeout: .seconds(5))
/// try await stream.write("HEAD / HTTP/1.0\r\n\r\n")
/// let status = try await stream.readLine(timeout: .seconds(5))
/// await stream.close()
/// ```
///
/// What is written goes out at once (TCP_NODELAY), unless ``setNoDelay(_:)`` says otherwise. Dropping the last reference closes the
/// connection. All that a ``StreamSocket`` does this does.
public actor TCPStream: StreamSocket {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    /// What the calls are made with.
    public nonisolated let socket: OpenSocket

    init(_ socket: OpenSocket) {
        loop = socket.loop
        self.socket = socket
    }

    deinit { socket.drop() }

    /// Whether each write goes out at once, or waits a moment for more to go with it.
    public func setNoDelay(_ isOn: Bool) throws(SocketError) { try set(.noDelay, isOn ? 1 : 0) }

    /// Has the system ask now and then whether the other side is still there, while nothing else goes through; nil ends that.
    public func setKeepAlive(_ keepAlive: KeepAlive?) throws(SocketError) {
        try socket.here.on(loop).ask(.option) { native throws(SocketRefusal) in try native.set(keepAlive) }
    }

    /// How many bytes the system keeps for this side to read, and to send. It may take another number than the one it is told.
    public func setBuffers(receiving: Int? = nil, sending: Int? = nil) throws(SocketError) {
        if let receiving { try set(.receiveBuffer, Int32(clamping: receiving)) }
        if let sending { try set(.sendBuffer, Int32(clamping: sending)) }
    }

    private func set(_ option: SocketOption, _ number: Int32) throws(SocketError) {
        try socket.here.on(loop).ask(.option) { native throws(SocketRefusal) in try native.set(option, number) }
    }
}

/// How a connection through which nothing goes is kept under watch.
public struct KeepAlive: Hashable, Sendable {
    /// The silence before the first question.
    public var idle: Duration
    /// The time between questions that are not answered.
    public var interval: Duration
    /// Questions without an answer until the connection is given up.
    public var count: Int

    /// Whole seconds, one at least.
    public init(idle: Duration = .seconds(60), interval: Duration = .seconds(10), count: Int = 6) {
        self.idle = idle
        self.interval = interval
        self.count = count
    }
}

extension NativeSocket {
    func set(_ keepAlive: KeepAlive?) throws(SocketRefusal) {
        if let keepAlive {
            try set(.keepAliveIdle, NativeSocket.seconds(keepAlive.idle))
            try set(.keepAliveInterval, NativeSocket.seconds(keepAlive.interval))
            try set(.keepAliveCount, Int32(clamping: max(1, keepAlive.count)))
        }
        try set(.keepAlive, keepAlive == nil ? 0 : 1)
    }

    private static func seconds(_ time: Duration) -> Int32 {
        let (seconds, rest) = time.components
        return Int32(clamping: max(1, seconds + (rest > 0 ? 1 : 0)))
    }
}
