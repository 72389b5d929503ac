/// The seam: an adapter's own view of the loop, through which every overlapped operation goes.
///
/// Its methods run where the adapter runs, so the functions it is given may touch the adapter's own state. It keeps the loop alive, and it
/// is not Sendable: an actor that leaks it does not compile.
///
/// The low level is here: `prepare`, a native call, `submitted` or `abandon`, and a callback or an await. It is enough to embed the loop
/// without any Swift task. The high level, which cannot be used wrongly, is ``perform(on:capacity:tag:timeout:file:line:_:)``.
public final class Operations {
    /// The loop this is a view of.
    public let loop: EventLoop
    let core: Core
    let ledger: Ledger
    /// The loop's, here too: a wait that went through the loop would retain it (counted).
    @usableFromInline let waitingRoom: WaitingRoom

    init(loop: EventLoop, core: Core) {
        self.loop = loop
        self.core = core
        ledger = core.ledger
        waitingRoom = loop.waitingRoom
    }
}

/// An operation that has been prepared: its id, and the memory to give to the native call.
@unsafe public struct PreparedMemory {
    /// What to call it by.
    public let id: OperationID
    /// The control block; on Windows its first 32 bytes are the OVERLAPPED. It is the ledger's, at this address, until the packet.
    public let controlBlock: UnsafeMutableRawPointer
    /// Offset and length of the buffer in one word, so that the value is four words and returned in registers.
    @usableFromInline let extent: UInt64

    // SAFETY: the pointer and the extent are the ledger's, of one cell.
    init(id: OperationID, controlBlock: UnsafeMutableRawPointer, bufferOffset: Int, capacity: Int) {
        unsafe self.id = id
        unsafe self.controlBlock = unsafe controlBlock
        unsafe extent = UInt64(bufferOffset) << 32 | UInt64(capacity)
    }

    /// How many there are from the control block to the end of the buffer.
    // SAFETY: both numbers are the ledger's.
    @inline(__always)
    var bytes: UInt64 { unsafe extent >> 32 &+ extent & 0xFFFF_FFFF }

    /// The operation's buffer, of exactly the capacity asked for.
    // SAFETY: both numbers are the ledger's.
    @inlinable public var buffer: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: controlBlock + Int(extent >> 32), count: Int(UInt32(truncatingIfNeeded: extent)))
    }
}
