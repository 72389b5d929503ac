internal import CLoopWin32
internal import LoopCore

// Every system call of the module, as Swift sees it. The shim makes them and returns the code of each from the call itself.

/// What a system call that has a result said.
enum Answer {
    case value(UInt32)
    case failed(SystemCode)

    init(_ code: UInt32, _ value: UInt32) { self = code == 0 ? .value(value) : .failed(SystemCode(code)) }
}

/// Calls with an operation's own memory, which the ledger keeps in place until the packet (C2).
extension Operation {
    // SAFETY: the OVERLAPPED and the buffer are the ledger's until the packet.
    func callFileRead() -> SystemCode {
        unsafe SystemCode(portloop_win32_file_read(record.handle.rawValue, record.buffer, record.length, overlapped, nil))
    }

    // SAFETY: as above; `bytes` lie in the buffer or in the operation's copy.
    func callFileWrite(_ bytes: UnsafeMutableRawPointer?, _ count: UInt32) -> SystemCode {
        unsafe SystemCode(portloop_win32_file_write(record.handle.rawValue, bytes, count, overlapped, nil))
    }

    // SAFETY: as above. The segments are read during the call, the flags are in the control block.
    func callReceive() -> SystemCode {
        var segment = unsafe portloop_win32_segment(count: record.length, base: record.buffer)
        return unsafe SystemCode(
            portloop_win32_socket_receive(record.handle.rawValue, &segment, 1, &record.receiveFlags, overlapped))
    }

    // SAFETY: as above; the room for the address is the ledger's too, and so the kernel's until the packet.
    func callReceiveFrom(_ address: UnsafeMutablePointer<SocketAddress>) -> SystemCode {
        var segment = unsafe portloop_win32_segment(count: record.length, base: record.buffer)
        unsafe address.pointee.length = SocketAddress.storageBytes
        let place = UnsafeMutableRawPointer(address)
        let length = unsafe place.assumingMemoryBound(to: Int32.self)
        return unsafe SystemCode(
            portloop_win32_socket_receive_from(
                record.handle.rawValue, &segment, 1, &record.receiveFlags, place + Layout.addressStorageOffset, length, overlapped))
    }

    // SAFETY: as above.
    func callSend() -> SystemCode {
        var segment = unsafe portloop_win32_segment(count: record.length, base: record.buffer)
        return unsafe SystemCode(portloop_win32_socket_send(record.handle.rawValue, &segment, 1, overlapped))
    }

    // SAFETY: as above; the segments lie in the buffer.
    func callGatherSend(_ ranges: [Range<Int>]) -> SystemCode {
        unsafe withSegments(ranges) { segments in
            unsafe SystemCode(
                portloop_win32_socket_send(record.handle.rawValue, segments.baseAddress, UInt32(segments.count), overlapped))
        }
    }

    // SAFETY: as above. Winsock copies the address.
    func callSendTo(_ address: UnsafeMutablePointer<SocketAddress>) -> SystemCode {
        var segment = unsafe portloop_win32_segment(count: record.length, base: record.buffer)
        let storage = unsafe UnsafeRawPointer(address) + Layout.addressStorageOffset
        return unsafe SystemCode(
            portloop_win32_socket_send_to(record.handle.rawValue, &segment, 1, storage, address.pointee.length, overlapped))
    }

    // SAFETY: as above; the room is the operation's until its packet.
    func callAccept(_ room: Reference<AcceptRoom>) -> SystemCode {
        unsafe SystemCode(
            withUnsafeMutablePointer(to: &room.record.addresses) { addresses in
                unsafe portloop_win32_socket_accept(record.handle.rawValue, room.record.socket, addresses, overlapped)
            })
    }

    // SAFETY: as above. Winsock copies the address.
    func callConnect(_ address: UnsafeMutablePointer<SocketAddress>) -> SystemCode {
        let storage = unsafe UnsafeRawPointer(address) + Layout.addressStorageOffset
        return unsafe SystemCode(
            portloop_win32_socket_connect(record.handle.rawValue, storage, address.pointee.length, overlapped))
    }

    /// What Winsock itself makes of the operation's status: a reset is 10054, and not the 64 of a file.
    // SAFETY: the packet has been dequeued, and nobody else has the block.
    func callSocketResult() -> SystemCode {
        var (bytes, flags) = (UInt32(0), UInt32(0))
        return unsafe SystemCode(portloop_win32_socket_result(record.handle.rawValue, overlapped, &bytes, &flags))
    }

    // SAFETY: the address only names the operation.
    func callCancel() -> SystemCode { unsafe SystemCode(portloop_win32_cancel(record.handle.rawValue, overlapped)) }
}

/// Calls with a request's own memory, which is the driver's until its packet.
extension Reference<ReadinessRequest> {
    // SAFETY: both places are in the request.
    func callSubmit(_ helper: Int, _ socket: Int) -> SystemCode {
        let entry = portloop_win32_poll_socket(socket: socket, events: record.events.rawValue, status: 0)
        record.poll = portloop_win32_poll(timeout: .max, count: 1, is_exclusive: 0, entry: entry)
        return unsafe SystemCode(portloop_win32_poll_submit(helper, &record.poll, &record.overlapped))
    }

    // SAFETY: the address only names the request.
    func callCancel(_ helper: Int) { _ = unsafe portloop_win32_poll_cancel(helper, &record.overlapped) }
}

/// Calls on handles, sockets and time.
enum Native {
    // MARK: ports

    // SAFETY: the shim writes the handle before it says zero.
    static func makePort() throws(SystemError) -> Int {
        var port = 0
        try check(unsafe portloop_win32_port_create(&port))
        return port
    }

    static func bind(_ handle: NativeHandle, to port: Int, _ key: PacketKey) -> SystemCode {
        SystemCode(portloop_win32_port_associate(port, handle.rawValue, key.word))
    }

    /// A packet with nothing but its key.
    static func post(_ port: Int, key: PacketKey) -> SystemCode { SystemCode(portloop_win32_port_post(port, 0, key.word, nil)) }

    // SAFETY: the address only names the operation; it may be nobody's.
    static func cancel(_ handle: NativeHandle, _ block: UnsafeMutableRawPointer) -> SystemCode {
        unsafe SystemCode(
            portloop_win32_cancel(handle.rawValue, block.assumingMemoryBound(to: portloop_win32_overlapped.self)))
    }

    static func close(_ handle: Int) { _ = portloop_win32_close_handle(handle) }

    static func error(of status: RawStatus) -> SystemCode { SystemCode(portloop_win32_error_of_status(status.rawValue)) }

    // MARK: what a handle is

    // SAFETY: the shim writes the answer before it says zero; here and below.
    static func isConsole(_ handle: NativeHandle) -> Bool {
        var mode: UInt32 = 0
        return unsafe portloop_win32_console_mode(handle.rawValue, &mode) == 0
    }

    // SAFETY: as above.
    static func mode(of handle: NativeHandle) -> Answer {
        var mode: UInt32 = 0
        return Answer(unsafe portloop_win32_file_mode(handle.rawValue, &mode), mode)
    }

    // SAFETY: as above.
    static func skipsPacketsOnSuccess(_ handle: NativeHandle) -> Bool {
        var modes: UInt32 = 0
        guard unsafe portloop_win32_completion_modes(handle.rawValue, &modes) == 0 else { return false }
        return modes & UInt32(portloop_win32_skip_port_on_success) != 0
    }

    /// For ``Win32Faults/skipsPacketsOnSuccess`` alone.
    static func skipPacketsOnSuccess(_ handle: NativeHandle) {
        _ = portloop_win32_set_completion_modes(handle.rawValue, UInt32(portloop_win32_skip_port_on_success))
    }

    // SAFETY: as above.
    static func fileType(_ handle: NativeHandle) -> Answer {
        var type: UInt32 = 0
        return Answer(unsafe portloop_win32_file_type(handle.rawValue, &type), type)
    }

    // SAFETY: as above.
    static func isDirectory(_ handle: NativeHandle) -> Bool {
        var isDirectory: Int32 = 0
        return unsafe portloop_win32_is_directory(handle.rawValue, &isDirectory) == 0 && isDirectory != 0
    }

    /// Nil for what is no socket.
    // SAFETY: as above.
    static func socketFacts(_ handle: NativeHandle) -> portloop_win32_socket_facts? {
        var facts = portloop_win32_socket_facts()
        return unsafe portloop_win32_socket_look(handle.rawValue, &facts) == 0 ? facts : nil
    }

    // MARK: sockets

    /// Makes Winsock ready. Fails where a system has none.
    static func startSockets() throws(SystemError) { try check(portloop_win32_sockets_start()) }

    /// A socket of the same kind as another, for one of its connections.
    // SAFETY: as above.
    static func makeSocket(like object: KernelObject) throws(SystemError) -> Int {
        var socket = -1
        try check(unsafe portloop_win32_socket_open(object.family, object.type, object.protocolNumber, &socket))
        return socket
    }

    static func close(socket: Int) { _ = portloop_win32_socket_close(socket) }

    /// Whether it has an address of its own.
    // SAFETY: the room is as large as the shim is told.
    static func isBound(_ socket: NativeHandle) -> Bool {
        var room = SocketAddress()
        var length = SocketAddress.storageBytes
        return unsafe portloop_win32_socket_name(socket.rawValue, &room.storage, &length) == 0
    }

    /// Gives it any address of its family that is free. A family that has no such thing is left to the call that needs one.
    // SAFETY: the storage holds the longest address there is; an address of all zeros but for its family is the one that stands for any.
    static func bindToAny(_ socket: NativeHandle, family: Int32) -> SystemCode {
        let length: UInt32
        switch family {
        case Int32(portloop_win32_inet): length = UInt32(MemoryLayout<portloop_win32_address4>.size)
        case Int32(portloop_win32_inet6): length = UInt32(MemoryLayout<portloop_win32_address6>.size)
        default: return .none
        }
        var any = SocketAddress()
        any.storage[0] = UInt64(UInt16(truncatingIfNeeded: family))
        return unsafe SystemCode(portloop_win32_socket_bind(socket.rawValue, &any.storage, length))
    }

    // SAFETY: the storage lies behind the length (Layout).
    static func connect(_ socket: NativeHandle, _ address: UnsafeMutablePointer<SocketAddress>) -> SystemCode {
        let storage = unsafe UnsafeRawPointer(address) + Layout.addressStorageOffset
        return unsafe SystemCode(portloop_win32_socket_connect_now(socket.rawValue, storage, address.pointee.length))
    }

    static func finishConnect(_ socket: NativeHandle) -> SystemCode {
        SystemCode(portloop_win32_socket_finish_connect(socket.rawValue))
    }

    /// Makes an accepted socket an ordinary one, whose calls without a control block do not block.
    static func finishAccept(_ socket: Int, from listener: NativeHandle) -> SystemCode {
        let code = portloop_win32_socket_finish_accept(socket, listener.rawValue)
        return SystemCode(code != 0 ? code : portloop_win32_socket_set_nonblocking(socket, 1))
    }

    /// Who has connected. No address where the peer is gone by now.
    // SAFETY: the storage lies behind the length (Layout), and the shim is told its size.
    static func peer(of socket: Int, _ address: UnsafeMutablePointer<SocketAddress>) {
        var length = SocketAddress.storageBytes
        let storage = unsafe UnsafeMutableRawPointer(address) + Layout.addressStorageOffset
        let code = unsafe portloop_win32_socket_peer(socket, storage, &length)
        unsafe address.pointee.length = code == 0 ? length : 0
    }

    // MARK: readiness

    // SAFETY: as above.
    static func openReadinessHelper() throws(SystemError) -> Int {
        var helper = 0
        try check(unsafe portloop_win32_poll_open(&helper))
        return helper
    }

    // SAFETY: as above.
    static func baseSocket(of socket: NativeHandle) throws(SystemError) -> Int {
        var base = 0
        try check(unsafe portloop_win32_poll_base_socket(socket.rawValue, &base))
        return base
    }

    // MARK: time and threads

    /// A timer finer than the system's clock tick; nil where there is none, and then a wait in milliseconds is as good.
    // SAFETY: as above.
    static func makeFineTimer() -> Int? {
        var timer = 0
        var isFine: Int32 = 0
        guard unsafe portloop_win32_timer_create(&timer, &isFine) == 0 else { return nil }
        if isFine != 0 { return timer }
        close(timer)
        return nil
    }

    /// Has the timer end an alertable wait of this thread.
    static func arm(_ timer: Int, inNanoseconds nanoseconds: UInt64) -> Bool {
        portloop_win32_timer_arm(timer, nanoseconds / 100 + (nanoseconds % 100 == 0 ? 0 : 1)) == 0
    }

    static func disarm(_ timer: Int) { _ = portloop_win32_timer_cancel(timer) }

    static var now: UInt64 { portloop_win32_clock_nanoseconds() }

    static var currentThread: UInt { UInt(portloop_win32_thread_id()) }

    private static func check(_ code: UInt32) throws(SystemError) {
        if code != 0 { throw SystemError(code: SystemCode(code)) }
    }
}

/// A system call's refusal.
struct SystemError: Error, Hashable {
    let code: SystemCode
}
