/// Names one timer of one loop, from the moment it is set until it fires or is cancelled.
///
/// An id outlives its timer harmlessly: every call that takes one recognises an id whose timer is gone and does nothing.
/// It belongs to the loop that handed it out; another loop may have given the same number to a timer of its own.
public struct TimerID: Hashable, Sendable {
    /// Where the timer's slot is.
    let index: UInt32
    /// Which of the slot's tenants is meant; never zero.
    let generation: UInt32
}
