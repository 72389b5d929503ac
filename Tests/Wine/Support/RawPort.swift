internal import CLoopWin32

/// A completion port as the kernel gives it, for cases about the kernel and the shim.
final class RawPort {
    let handle: Int

    init() throws(Unmet) {
        var made = 0
        let code = unsafe portloop_win32_port_create(&made)
        if code != 0 { throw .failed("a port: error \(code)") }
        handle = made
    }

    deinit { _ = portloop_win32_close_handle(handle) }

    /// What one packet says.
    struct Packet {
        let key: UInt
        /// The control block's address.
        let block: UInt
        let bytes: UInt32
    }

    func associate(_ handle: Int, key: UInt) throws(Unmet) {
        let code = portloop_win32_port_associate(self.handle, handle, key)
        if code != 0 { throw .failed("associate: error \(code)") }
    }

    @discardableResult
    func post(key: UInt, bytes: UInt32 = 0, block: Block? = nil) -> UInt32 {
        unsafe portloop_win32_port_post(handle, bytes, key, block?.overlapped)
    }

    /// One wait: its code, and what it took.
    // SAFETY: the array has room for `max` entries, and the kernel writes before the call returns.
    func wait(milliseconds: UInt32, max: Int = 8, isAlertable: Bool = false) -> (code: UInt32, packets: [Packet]) {
        var entries = unsafe [portloop_win32_entry](repeating: portloop_win32_entry(), count: max)
        var count: UInt32 = 0
        let code = unsafe portloop_win32_port_wait(handle, &entries, UInt32(max), milliseconds, isAlertable ? 1 : 0, &count)
        let packets = unsafe entries.prefix(Int(count)).map { entry in
            unsafe Packet(key: UInt(entry.key), block: UInt(bitPattern: entry.overlapped), bytes: entry.bytes)
        }
        return (code, packets)
    }

    /// The next packet, within five seconds.
    func next(_ what: String) throws(Unmet) -> Packet {
        let (code, packets) = wait(milliseconds: 5000, max: 1)
        guard code == 0, let packet = packets.first else { throw .failed("no packet for \(what): code \(code)") }
        return packet
    }

    /// The next packet is this operation's. Its byte count.
    @discardableResult
    func next(_ what: String, of block: Block) throws(Unmet) -> Int {
        let packet = try next(what)
        if packet.block != block.address { throw .failed("the packet for \(what) is another operation's") }
        return Int(packet.bytes)
    }

    /// Nothing is queued now.
    var isEmpty: Bool { wait(milliseconds: 0).code == UInt32(portloop_win32_wait_timeout) }
}

/// A control block and a buffer that nobody frees: after a case that failed they may still be the kernel's.
@safe final class Block {
    // SAFETY: never freed.
    let overlapped: UnsafeMutablePointer<portloop_win32_overlapped>
    let buffer: UnsafeMutableRawBufferPointer
    /// Those of a receive, in and out.
    let flags: UnsafeMutablePointer<UInt32>

    init(bytes: Int = 64) {
        unsafe overlapped = .allocate(capacity: 1)
        unsafe overlapped.initialize(to: portloop_win32_overlapped())
        unsafe buffer = .allocate(byteCount: bytes, alignment: 16)
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe flags = .allocate(capacity: 1)
        unsafe flags.initialize(to: 0)
    }

    convenience init(holding bytes: [UInt8]) {
        self.init(bytes: bytes.count)
        unsafe buffer.copyBytes(from: bytes)
    }

    var address: UInt { unsafe UInt(bitPattern: overlapped) }
    var status: UInt32 { unsafe UInt32(truncatingIfNeeded: overlapped.pointee.internal) }
    var count: UInt32 { unsafe UInt32(buffer.count) }

    func bytes(_ count: Int) -> [UInt8] { unsafe Array(buffer.prefix(count)) }
}
