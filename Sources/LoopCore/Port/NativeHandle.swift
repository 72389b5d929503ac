/// A kernel object's name as its platform spells it: a file descriptor on Linux, a `HANDLE` or `SOCKET` on Windows.
///
/// A number, not an owner: the kernel recycles it as soon as the object is closed. The loop never closes one that a caller associated.
public struct NativeHandle: Hashable, Sendable {
    public let rawValue: Int

    @inlinable
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// What no platform hands out: -1 is the failure of `open` and `INVALID_HANDLE_VALUE` at once.
    @inlinable public static var invalid: NativeHandle { NativeHandle(rawValue: -1) }
}

/// The place and generation of one association: what the port keeps with its registration instead of the recyclable handle number.
public struct HandleKey: Hashable, Sendable {
    /// The place.
    public let slot: UInt32
    /// Which association has it; never zero.
    public let generation: UInt32

    /// A key of both.
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Both halves in the 64 bits that epoll and the completion port hand back with an event.
    public init(word: UInt64) {
        slot = UInt32(truncatingIfNeeded: word)
        generation = UInt32(truncatingIfNeeded: word >> 32)
    }

    /// Both halves in 64 bits.
    public var word: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// A handle that a loop has accepted: what operations are prepared on.
///
/// It names the *association*, not the number: after ``Operations/retire(_:)`` every use of it is refused with
/// ``OperationError/notAssociated``, even when the kernel has given the same number to something else (clause C13).
public struct AssociatedHandle: Hashable, Sendable {
    /// The handle as the platform spells it.
    public let native: NativeHandle
    /// The association.
    public let key: HandleKey
    let ledger: UInt32
}
