internal import LoopCore

/// A record at an address that stays: an operation's in its control block, a descriptor's, a lane's, the port's own.
///
/// A value that may be copied; it owns nothing. Access is in place, without the check for overlap that a class's property costs (8 ns a
/// time, ten times an operation). The condition: one thread, and no access spans a call that could reach the same record again.
@safe struct Reference<Record>: Equatable {
    private let pointer: UnsafeMutablePointer<Record>

    // SAFETY: whoever makes one vouches that the record is initialised for as long as the reference is used.
    init(_ pointer: UnsafeMutablePointer<Record>) { unsafe self.pointer = pointer }

    // SAFETY: the record is initialised before anyone can see it.
    init(allocating record: consuming Record, alignment: Int = MemoryLayout<Record>.alignment) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<Record>.size, alignment: alignment)
        unsafe pointer = memory.initializeMemory(as: Record.self, to: record)
    }

    var record: Record {
        // SAFETY: the record is there (`init`), and one thread touches it.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        // SAFETY: as above.
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }

    /// One field, by its own address. An access by way of ``record`` is one to all of it; this one is not, and so may be made by another
    /// thread than the one that has the rest, if that one leaves the field alone meanwhile.
    subscript<Field>(field: WritableKeyPath<Record, Field>) -> Field {
        // SAFETY: as above, of the field.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(place(of: field)) }
        // SAFETY: as above, of the field.
        @inline(__always) nonmutating unsafeMutableAddress { unsafe place(of: field) }
    }

    // SAFETY: within the record; constant-folded.
    @inline(__always)
    func place<Field>(of field: WritableKeyPath<Record, Field>) -> UnsafeMutablePointer<Field> {
        guard let place = unsafe pointer.pointer(to: field) else { trap("\(field) is computed, and has no address.") }
        return unsafe place
    }

    // SAFETY: an address to compare, or to compute a control block's from.
    var address: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(pointer) }

    /// Ends a record that `init(allocating:)` made; no reference to it is used afterwards.
    // SAFETY: the caller is its owner.
    func deallocate() {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    // SAFETY: the pointers are compared as numbers.
    static func == (left: Reference, right: Reference) -> Bool { unsafe left.pointer == right.pointer }
}
