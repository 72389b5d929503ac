/// A value at a fixed address, owned by a class of the loop's thread.
///
/// A class's stored property is checked for overlapping access each time it is touched, at 8 ns a time and ten times an operation. What is
/// kept here is accessed in place without that check. The condition: one thread, and no access spans a call that could reach the same
/// value again. Every accessor below is used for single field accesses and for calls of our own that run nobody else's code.
@safe struct Pinned<Value: ~Copyable>: ~Copyable {
    private let pointer: UnsafeMutablePointer<Value>

    // SAFETY: initialised here, freed in `deinit`, never moved in between.
    init(_ value: consuming Value) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: value)
    }

    // SAFETY: as above.
    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    var value: Value {
        // SAFETY: the address is good while this value lives, and the access ends before it does.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        // SAFETY: as above.
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }

    /// For a property that stands for the value. A coroutine accessor would do, but one of a large value allocates its frame (seen: 232
    /// bytes, three times a turn).
    // SAFETY: whoever uses it keeps this value.
    @inline(__always)
    var address: UnsafeMutablePointer<Value> { unsafe pointer }
}
