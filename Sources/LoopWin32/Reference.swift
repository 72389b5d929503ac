/// A record at an address that stays: an operation's in its control block, a handle's, a request's to the driver, the port's own.
///
/// A value that may be copied; it owns nothing. Access is in place, without the check for overlap that a class's property costs. The
/// condition: one thread, and no access spans a call that could reach the same record again.
@safe struct Reference<Record: ~Copyable>: Equatable {
    private let pointer: UnsafeMutablePointer<Record>

    /// What the kernel and the table of addresses want: the size of a cache line.
    private static var alignment: Int { 64 }

    // SAFETY: whoever makes one vouches that the record is initialised for as long as the reference is used.
    init(_ pointer: UnsafeMutablePointer<Record>) { unsafe self.pointer = pointer }

    // SAFETY: the record is initialised before anyone can see it.
    init(allocating record: consuming Record) {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Record>.stride, alignment: max(MemoryLayout<Record>.alignment, Reference.alignment))
        unsafe pointer = memory.bindMemory(to: Record.self, capacity: 1)
        unsafe pointer.initialize(to: record)
    }

    var record: Record {
        // SAFETY: the record is there (`init`), and one thread touches it.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        // SAFETY: as above.
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }

    // SAFETY: an address to hand to the kernel, or to compute a control block's from.
    var address: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(pointer) }

    // SAFETY: a number, to compare.
    var number: UInt { UInt(bitPattern: unsafe address) }

    /// Ends a record that `init(allocating:)` made; no reference to it is used afterwards.
    // SAFETY: the caller is its owner.
    func deallocate() {
        unsafe pointer.deinitialize(count: 1)
        unsafe address.deallocate()
    }

    // SAFETY: the pointers are compared as numbers.
    static func == (left: Reference, right: Reference) -> Bool { unsafe left.pointer == right.pointer }
}
