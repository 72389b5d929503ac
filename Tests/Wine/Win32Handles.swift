internal import CLoopWin32
internal import LoopCore
internal import LoopSim

/// Handles of Windows for tests, made and used without a port. Whoever is given one closes it.
enum Win32 {
    // MARK: sockets

    private static let loopback = portloop_win32_address4(
        family: UInt16(portloop_win32_inet), port: 0, address: (127, 0, 0, 1), zero: (0, 0, 0, 0, 0, 0, 0, 0))
    private static let addressBytes = UInt32(MemoryLayout<portloop_win32_address4>.size)

    /// A socket of our own kind, overlapped.
    // SAFETY: the shim writes the socket before it says zero; here and below.
    static func socket(_ type: Int) -> Int {
        demand("WSAStartup", portloop_win32_sockets_start())
        var socket = -1
        demand("socket", unsafe portloop_win32_socket_open(Int32(portloop_win32_inet), Int32(type), 0, &socket))
        return socket
    }

    static func boundSocket(_ type: Int) -> Int {
        let socket = socket(type)
        var address = loopback
        demand("bind", unsafe portloop_win32_socket_bind(socket, &address, addressBytes))
        return socket
    }

    static func listener() -> Int {
        let socket = boundSocket(portloop_win32_stream)
        demand("listen", portloop_win32_socket_listen(socket, 16))
        return socket
    }

    static func connect(_ socket: Int, to other: Int) {
        var address = portloop_win32_address4()
        var length = addressBytes
        demand("getsockname", unsafe portloop_win32_socket_name(other, &address, &length))
        demand("connect", unsafe portloop_win32_socket_connect_now(socket, &address, length))
    }

    /// The address of a socket, as an operation wants it.
    static func address(of socket: Int) -> SocketAddress {
        var address = SocketAddress()
        var length = UInt32(128)
        demand("getsockname", unsafe portloop_win32_socket_name(socket, &address.storage, &length))
        address.length = length
        return address
    }

    /// A connected pair over the loopback interface, with buffers that a few hundred kilobytes fill.
    static func tcpPair() -> StreamEnds {
        let listener = listener()
        let near = socket(portloop_win32_stream)
        limitBuffers(near)
        limitBuffers(listener)
        connect(near, to: listener)
        var far = -1
        demand("accept", unsafe portloop_win32_socket_accept_now(listener, &far))
        closeSocket(listener)
        for end in [near, far] {
            setOption(end, level: 6, option: 1, 1)  // TCP_NODELAY
            demand("FIONBIO", portloop_win32_socket_set_nonblocking(end, 1))
        }
        return StreamEnds(near: NativeHandle(rawValue: near), far: NativeHandle(rawValue: far))
    }

    static func udpPair() -> StreamEnds {
        let (near, far) = (boundSocket(portloop_win32_datagram), boundSocket(portloop_win32_datagram))
        connect(near, to: far)
        connect(far, to: near)
        for end in [near, far] { demand("FIONBIO", portloop_win32_socket_set_nonblocking(end, 1)) }
        return StreamEnds(near: NativeHandle(rawValue: near), far: NativeHandle(rawValue: far))
    }

    private static func limitBuffers(_ socket: Int) {
        for option in [0x1001, 0x1002] { setOption(socket, level: 0xFFFF, option: Int32(option), 64 << 10) }  // SO_SNDBUF, SO_RCVBUF
    }

    static func setOption(_ socket: Int, level: Int32, option: Int32, _ value: Int32) {
        var value = value
        demand("setsockopt", unsafe portloop_win32_socket_set_option(socket, level, option, &value, 4))
    }

    static func closeSocket(_ socket: Int) { demand("closesocket", portloop_win32_socket_close(socket)) }

    /// What is there, without waiting; nil where nothing is, and none at the end.
    // SAFETY: the buffer has room for `max` bytes.
    static func receive(_ socket: Int, max: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: max)
        var count: UInt32 = 0
        guard unsafe portloop_win32_socket_receive_now(socket, &bytes, UInt32(max), 0, &count) == 0 else { return nil }
        return Array(bytes.prefix(Int(count)))
    }

    static func send(_ socket: Int, _ bytes: [UInt8]) {
        var count: UInt32 = 0
        demand("send", unsafe portloop_win32_socket_send_now(socket, bytes, UInt32(bytes.count), 0, &count))
        guard count == UInt32(bytes.count) else { trap("send took \(count) of \(bytes.count) bytes") }
    }

    // MARK: pipes

    private nonisolated(unsafe) static var pipes = 0

    /// A new name for a pipe or a file.
    // SAFETY: the cases run on one thread.
    static func newName(_ prefix: String) -> [UInt16] {
        unsafe pipes += 1
        return unsafe wide("\(prefix)portloop-\(portloop_win32_process_id())-\(pipes)")
    }

    static func wide(_ text: String) -> [UInt16] { Array(text.utf16) + [0] }

    /// Which end of a named pipe is overlapped. The other one is for calls that wait.
    enum PipeEnd {
        case server
        case client
        case both
    }

    enum PipeMode: UInt32 {
        case bytes = 0
        /// PIPE_TYPE_MESSAGE and PIPE_READMODE_MESSAGE.
        case messages = 6
    }

    /// The server's end of a pipe that nobody has opened yet, and its name.
    // SAFETY: as above.
    static func pipeServer(_ mode: PipeMode = .bytes, isOverlapped: Bool = true) -> (handle: Int, name: [UInt16]) {
        let name = newName("\\\\.\\pipe\\")
        var handle = -1
        let openMode = UInt32(3) | (isOverlapped ? overlappedFlag : 0)  // PIPE_ACCESS_DUPLEX
        demand("CreateNamedPipe", unsafe portloop_win32_pipe_create(name, openMode, mode.rawValue, 1, 4096, 4096, 0, &handle))
        return (handle, name)
    }

    static func pipeClient(_ name: [UInt16], isOverlapped: Bool = true) -> Int {
        open(name, access: readWrite, disposition: openExisting, flags: isOverlapped ? overlappedFlag : 0)
    }

    /// The near end gets the lowest number that is free, and so the one of a near end that was closed: that is what a case is about.
    static func pipePair(near: PipeEnd, _ mode: PipeMode = .bytes) -> StreamEnds {
        let placeholder = near == .client ? event() : -1
        let (server, name) = pipeServer(mode, isOverlapped: near != .client)
        if placeholder >= 0 { closeHandle(placeholder) }
        let client = pipeClient(name, isOverlapped: near != .server)
        if mode == .messages { demand("SetNamedPipeHandleState", portloop_win32_pipe_set_state(client, 2)) }
        let (own, other) = near == .client ? (client, server) : (server, client)
        return StreamEnds(near: NativeHandle(rawValue: own), far: NativeHandle(rawValue: other))
    }

    // MARK: files

    static let overlappedFlag: UInt32 = 0x4000_0000
    static let readWrite: UInt32 = 0xC000_0000
    static let openExisting: UInt32 = 3
    static let createAlways: UInt32 = 2
    private static let shareAll: UInt32 = 7

    // SAFETY: as above.
    static func open(_ path: [UInt16], access: UInt32, disposition: UInt32, flags: UInt32) -> Int {
        var handle = -1
        demand("CreateFile", unsafe portloop_win32_file_open(path, access, shareAll, nil, disposition, flags, 0, &handle))
        return handle
    }

    /// A new empty file that goes when its last handle does.
    static func temporaryFile(flags: UInt32 = overlappedFlag) -> Int {
        let deleteOnClose: UInt32 = 0x0400_0000
        return open(newName(temporaryFolder), access: readWrite | 0x0001_0000, disposition: createAlways, flags: flags | deleteOnClose)
    }

    // SAFETY: the array is as long as the shim is told.
    static var temporaryFolder: String {
        var path = [UInt16](repeating: 0, count: 300)
        var length: UInt32 = 0
        demand("GetTempPath", unsafe portloop_win32_temporary_folder(&path, 300, &length))
        return String(decoding: path.prefix(Int(length)), as: UTF16.self)
    }

    /// Writes in a call that waits; for handles that are not overlapped.
    // SAFETY: the array's own bytes and count.
    static func write(_ handle: Int, _ bytes: [UInt8]) {
        var count: UInt32 = 0
        demand("WriteFile", unsafe portloop_win32_file_write(handle, bytes, UInt32(bytes.count), nil, &count))
        guard count == UInt32(bytes.count) else { trap("WriteFile took \(count) of \(bytes.count) bytes") }
    }

    /// What a pipe has, at most `max` bytes, without waiting; on an overlapped handle without a packet. An event whose lowest bit is set
    /// tells the kernel to queue none.
    // SAFETY: the buffer has room for `max` bytes, and the call waits until the kernel has done with it.
    static func drainPipe(_ handle: Int, max: Int) -> [UInt8] {
        var (there, inMessage) = (UInt32(0), UInt32(0))
        guard unsafe portloop_win32_pipe_peek(handle, &there, &inMessage) == 0, there > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: min(max, Int(there)))
        let event = event()
        defer { closeHandle(event) }
        let overlapped = UnsafeMutablePointer<portloop_win32_overlapped>.allocate(capacity: 1)
        unsafe overlapped.initialize(to: portloop_win32_overlapped())
        defer { unsafe overlapped.deallocate() }
        unsafe overlapped.pointee.event = event | 1
        let code = unsafe portloop_win32_file_read(handle, &bytes, UInt32(bytes.count), overlapped, nil)
        if code == UInt32(portloop_win32_io_pending) { demand("the event", portloop_win32_wait(event, 5000)) }
        return unsafe Array(bytes.prefix(Int(overlapped.pointee.internal_high)))
    }

    static func event() -> Int {
        var event = 0
        demand("CreateEvent", unsafe portloop_win32_event_create(1, &event))
        return event
    }

    static func closeHandle(_ handle: Int) { demand("CloseHandle", portloop_win32_close_handle(handle)) }

    // MARK: all of them

    /// Closes what it is: a socket is not closed by `CloseHandle`.
    // SAFETY: as above.
    static func close(_ handle: NativeHandle) {
        var facts = portloop_win32_socket_facts()
        let isSocket = unsafe portloop_win32_socket_look(handle.rawValue, &facts) == 0
        if isSocket { closeSocket(handle.rawValue) } else { closeHandle(handle.rawValue) }
    }

    /// Handles that this process has open.
    // SAFETY: as above.
    static var openCount: Int {
        var count: UInt32 = 0
        demand("GetProcessHandleCount", unsafe portloop_win32_handle_count(&count))
        return Int(count)
    }

    private static func demand(_ what: String, _ code: UInt32) {
        if code != 0 { trap("\(what) failed with error \(code).") }
    }
}
