internal import CLoopWin32
internal import SerialOps

/// A port as the shim gives it, for what a case asks the system directly.
final class RawComm {
    let handle: Int
    private let isOwned: Bool

    init(_ name: String) throws(Unmet) {
        var made = 0
        let access = Windows.genericRead | Windows.genericWrite
        let code = unsafe portloop_win32_file_open(
            "\\\\.\\\(name)".wide, access, 0, nil, Windows.openExisting, Windows.overlapped, 0, &made)
        if code != 0 { throw .failed("\(name): error \(code)") }
        (handle, isOwned) = (made, true)
    }

    init(borrowing handle: Int) { (self.handle, isOwned) = (handle, false) }

    deinit { if isOwned { _ = portloop_win32_close_handle(handle) } }

    func use(_ body: (RawComm) throws(Unmet) -> Void) throws(Unmet) { try body(self) }

    // SAFETY: the shim writes before it says zero; here and below.
    func state() throws(Unmet) -> Dcb {
        var native = portloop_win32_comm_state()
        let code = unsafe portloop_win32_comm_state_get(handle, &native)
        if code != 0 { throw .failed("GetCommState: error \(code)") }
        return Dcb(native)
    }

    /// The code of `SetCommState`.
    // SAFETY: as above.
    func set(_ state: Dcb) -> UInt32 {
        var native = portloop_win32_comm_state(state)
        return unsafe portloop_win32_comm_state_set(handle, &native)
    }

    func change(_ body: (inout Dcb) -> Void) throws(Unmet) {
        var state = try state()
        body(&state)
        let code = set(state)
        if code != 0 { throw .failed("SetCommState: error \(code)") }
    }

    // SAFETY: as above.
    func timeouts() throws(Unmet) -> CommTimeouts {
        var found = portloop_win32_comm_timeouts()
        let code = unsafe portloop_win32_comm_timeouts_get(handle, &found)
        if code != 0 { throw .failed("GetCommTimeouts: error \(code)") }
        return CommTimeouts(
            readInterval: found.read_interval, readMultiplier: found.read_multiplier, readConstant: found.read_constant,
            writeMultiplier: found.write_multiplier, writeConstant: found.write_constant)
    }

    // SAFETY: as above.
    func set(_ timeouts: CommTimeouts) throws(Unmet) {
        var native = portloop_win32_comm_timeouts(
            read_interval: timeouts.readInterval, read_multiplier: timeouts.readMultiplier, read_constant: timeouts.readConstant,
            write_multiplier: timeouts.writeMultiplier, write_constant: timeouts.writeConstant)
        let code = unsafe portloop_win32_comm_timeouts_set(handle, &native)
        if code != 0 { throw .failed("SetCommTimeouts: error \(code)") }
    }

    /// Every read ends after this time, with what has come by then.
    func endReads(after milliseconds: UInt32) throws(Unmet) {
        try set(CommTimeouts(readInterval: 0, readMultiplier: 0, readConstant: milliseconds, writeMultiplier: 0, writeConstant: 0))
    }

    // SAFETY: the block and its buffer are never freed.
    func read(_ block: Block) -> UInt32 {
        unsafe portloop_win32_file_read(handle, block.buffer.baseAddress, block.count, block.overlapped, nil)
    }
}
