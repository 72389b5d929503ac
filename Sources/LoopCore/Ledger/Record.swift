/// One operation in the slab. The control block is its first field: the address of the record is the address that a packet carries.
struct Record {
    /// 160 bytes; see ``ControlBlock``.
    var control = InlineArray<20, UInt64>(repeating: 0)
    /// What the packet said, once the state is `completed`. Second, so that its address is known; see ``Cell/completion``.
    var completion = Completion(count: 0)

    // What an operation goes through most often: one cache line, the fourth. Behind it, in the fifth, is what few look at.

    /// Advanced each time the record is retired, so an id of an earlier operation never fits again.
    var generation: UInt64 = 1
    // These two stay for the life of the cell.
    let index: CellIndex
    let sizeClass: SizeClass
    var bytesOnError = BytesOnError.withheld
    var stage = WaitStage.none
    var capacity: UInt32 = 0
    // These four side by side: a preparation sets them by one store.
    var state = OperationState.free
    var flow = ByteFlow.none
    var address = AddressRoom.none
    var completer = Completer.driver
    /// The association it is on; nil while it is on none, free or taken.
    var handle: HandleRef?
    /// The kind it is of, which is told how it ends unless somebody else waits; nil if it was prepared without one.
    var kind: KindRef?
    /// The next record of the handle; while it is free, of the free list of its class.
    var next: Cell?
    /// The record of the handle before it.
    var previous: Cell?
    var tag: UInt64 = 0

    var waiting = Waiting()
    var preparedAt = MonotonicInstant(nanoseconds: 0)
    /// Where it was prepared, unless its kind says it.
    var place = SourcePlace(file: "", line: 0)

    init(index: CellIndex, sizeClass: SizeClass) {
        self.index = index
        self.sizeClass = sizeClass
    }
}

/// A record at its stable address. A value that may be copied; whoever holds one longer than for a call knows that the cell stays.
@safe struct Cell: Equatable {
    private let pointer: UnsafeMutablePointer<Record>

    // SAFETY: only the slab makes one, for a cell it keeps until the ledger ends (L6).
    init(_ pointer: UnsafeMutablePointer<Record>) { unsafe self.pointer = pointer }

    // SAFETY: the addresses are compared and not followed.
    static func == (left: Cell, right: Cell) -> Bool { unsafe left.pointer == right.pointer }

    /// The record, in place.
    var record: Record {
        // SAFETY: the cell is initialised for as long as the slab lists it, and one thread touches it.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        // SAFETY: as above.
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }

    /// The association of a record that is in flight.
    @inline(__always)
    var handle: HandleRef {
        guard let handle = record.handle else { Cell.trapUnowned() }
        return handle
    }

    /// The line of source it was prepared in, or its kind was made in.
    var place: SourcePlace { record.kind?.entry.place ?? record.place }

    @inline(never)
    private static func trapUnowned() -> Never { trap("A record that is on no handle was asked for its own. This is a bug of Portloop.") }

    // SAFETY: the record's own address; callers only compare it or hand it to the kernel.
    var block: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(pointer) }

    /// Where the completion of a record is.
    // SAFETY: the record's own memory.
    @inline(__always)
    var completion: UnsafePointer<Completion> {
        unsafe UnsafeRawPointer(block + Cell.completionOffset).assumingMemoryBound(to: Completion.self)
    }

    /// Behind the control block; asserted by a test.
    static var completionOffset: Int { ControlBlock.bytes }

    /// Clears the kernel's part and the port's tag of the control block: bytes 0 to 39.
    func clearControlBlock() {
        for word in 0..<5 { record.control[word] = 0 }
    }

    /// The operation's buffer, behind the record and the room for an address.
    @inline(__always)
    var buffer: UnsafeMutableRawBufferPointer {
        // SAFETY: the slab was asked for room for the address and the capacity together.
        unsafe UnsafeMutableRawBufferPointer(start: block + bufferOffset, count: Int(record.capacity))
    }

    @inline(__always)
    var bufferOffset: Int { Cell.headerBytes + (record.address == .one ? Cell.addressBytes : 0) }

    /// Where the address is, if the operation has room for one.
    var addressPointer: UnsafeMutablePointer<SocketAddress>? {
        // SAFETY: the room directly behind the header, made ready by `clearAddress` before anyone sees it.
        guard record.address == .one else { return nil }
        return unsafe (block + Cell.headerBytes).assumingMemoryBound(to: SocketAddress.self)
    }

    // SAFETY: as for `addressPointer`; SocketAddress is trivial, so initialising over an old one is right.
    @inline(never)
    func clearAddress() {
        unsafe (block + Cell.headerBytes).bindMemory(to: SocketAddress.self, capacity: 1).initialize(to: SocketAddress())
    }

    /// The record, rounded up so that the buffer starts on a cache line.
    static let headerBytes = (MemoryLayout<Record>.stride + 63) & ~63
    static let addressBytes = (MemoryLayout<SocketAddress>.stride + 63) & ~63
}

/// Cells come in sizes four apart, so that a freed one serves the next operation of about its size.
struct SizeClass: Hashable {
    let rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }

    static let count = 11

    /// From this class (64 KiB) on free cells may go back to the system; smaller ones are kept for good.
    static var firstLarge: SizeClass { SizeClass(rawValue: 6) }

    /// What no small cell exceeds, and every large one does.
    static var smallBytesMax: UInt64 { UInt64(Cell.headerBytes + SizeClass(rawValue: firstLarge.rawValue - 1).nominalBytes) }

    /// No buffer at all.
    static var smallest: SizeClass { SizeClass(rawValue: 0) }

    /// The smallest class with room for `bytes`: 0, 64, 256, 1 Ki, 4 Ki … 16 Mi.
    @inline(__always)
    init(holding bytes: Int) {
        // 2^bits is the next power of two, and at least 2^6; each class holds two of them, the first holds all up to 2^6.
        let bits = UInt(Int.bitWidth &- ((bytes &- 1) | 63).leadingZeroBitCount)
        self.init(rawValue: bytes > 0 ? UInt8(truncatingIfNeeded: min(UInt(SizeClass.count &- 1), (bits &- 3) >> 1)) : 0)
    }

    /// The capacity the class is for.
    var nominalBytes: Int { rawValue == 0 ? 0 : 64 << (2 * (Int(rawValue) - 1)) }

    /// What a cell of the class holds behind its header. The largest has room for the largest capacity and an address beside it.
    var bytes: Int { Int(rawValue) == SizeClass.count - 1 ? nominalBytes + Cell.addressBytes : nominalBytes }

    var cellBytes: Int { Cell.headerBytes + bytes }
}
