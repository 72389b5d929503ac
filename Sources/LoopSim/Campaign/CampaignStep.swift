/// One step of a campaign's program: a small value that means something whatever the state of the loop.
///
/// Places (`line`, `operation` …) are taken modulo how many there are at that moment, so that a program still runs when steps are left out:
/// that is what makes shrinking possible. A step with nothing to act on does nothing.
public enum CampaignStep: Hashable, Sendable {
    // MARK: handles
    case open(LineKind)
    case associateAgain(line: UInt8)
    case retire(line: UInt8)
    case close(line: UInt8)
    /// Closed behind the loop's back with a read under way, and its number given to another of its kind at once: C13's case.
    case recycle(line: UInt8)

    // MARK: operations
    case begin(line: UInt8, verb: CampaignVerb, bytes: UInt16, wait: CampaignWait)
    case prepare(line: UInt8, bytes: UInt16)
    case start(operation: UInt8, verb: CampaignVerb)
    case perform(line: UInt8, verb: PerformVerb, bytes: UInt8, wait: CampaignWait)
    case call(operation: UInt8, CampaignCall)
    case callDead(operation: UInt8, CampaignCall)
    case callForeign(CampaignCall)
    case dropHeld

    // MARK: the other side
    case feed(line: UInt8, bytes: UInt8)
    case drain(line: UInt8, bytes: UInt8)
    case hangUp(line: UInt8)
    case completeDevice(line: UInt8, bytes: UInt8)
    case completeRemote(operation: UInt8, CampaignRemote)
    case releaseStuck

    // MARK: threads and time
    case postFromThread
    case postWhileAsleep(afterMicroseconds: UInt16)
    case failWakes(UInt8)
    case startTimer(afterMicroseconds: UInt16)
    case cancelTimer(UInt8)
    case moveTimer(UInt8, afterMicroseconds: UInt16)
    case advance(microseconds: UInt16)
    case turn(microseconds: UInt16)
    case turnWithoutBound
}

/// What a campaign opens.
public enum LineKind: UInt8, Hashable, Sendable, CaseIterable {
    case stream
    case datagram
    case file
    case device
    case listener
}

/// What an operation of a campaign is started as.
public enum CampaignVerb: UInt8, Hashable, Sendable, CaseIterable {
    /// Read, receive or accept, whatever the object does.
    case input
    /// Write or send.
    case output
    /// A write of several ranges.
    case gather
    case poll
    case attempt
    /// An adapter's own call on a device, reported by `submitted` or `abandon`.
    case native
}

/// What a campaign's `perform` does with the operation it is lent.
public enum PerformVerb: UInt8, Hashable, Sendable, CaseIterable {
    case input
    case output
    case remote
    case nativePending
    case nativeDone
    case nativeWarning
    case nativeFailure
    case inline
    case inlineFailure
    case abandon
}

/// How an operation is waited for.
public enum CampaignWait: Hashable, Sendable {
    case none
    /// Zero microseconds: without a deadline.
    case callback(timeoutMicroseconds: UInt16, FollowUp)
}

/// What a callback does to the loop that calls it.
public enum FollowUp: UInt8, Hashable, Sendable, CaseIterable {
    case nothing
    case take
    case free
    case readAgain
    case cancelSibling
    case takeSibling
    case retire
}

/// A call with an operation's id.
public enum CampaignCall: Hashable, Sendable {
    case state
    case cancel
    case cancelWait
    case take
    case takeForCall
    case hold
    case free
    case abandon
    case submitted
    case renew
    case wait(timeoutMicroseconds: UInt16, FollowUp)
}

/// How a remote completion ends.
public enum CampaignRemote: UInt8, Hashable, Sendable, CaseIterable {
    case complete
    case completeFromThread
    case drop
}
