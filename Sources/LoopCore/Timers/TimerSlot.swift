/// The part of a timer that stays where it is while its entry moves about.
///
/// Generation and place share the payload's cache line: cancelling needs all three.
struct TimerSlot<Payload> {
    /// The tenant's ticket, or zero when the slot is free.
    var generation: UInt32
    var place: TimerPlace
    /// An `Optional` rather than memory that is sometimes initialised: it costs no space in an enum and needs no unsafe code.
    var payload: Payload?
}

/// Where the entry of a live timer is: at a position of the heap, or of the batch.
struct TimerPlace: Equatable {
    private let bits: UInt32

    private static var collectedBit: UInt32 { 1 << 31 }

    static func waiting(at position: Int) -> TimerPlace {
        TimerPlace(bits: UInt32(truncatingIfNeeded: position))
    }

    static func collected(at position: Int) -> TimerPlace {
        TimerPlace(bits: UInt32(truncatingIfNeeded: position) | collectedBit)
    }

    var isCollected: Bool { bits & Self.collectedBit != 0 }
    var position: Int { Int(bits & ~Self.collectedBit) }
}
