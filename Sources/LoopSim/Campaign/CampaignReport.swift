/// What a campaign found.
public struct CampaignReport: Hashable, Sendable {
    /// Programs that were run to their end.
    public var seeds = 0
    /// Steps taken, the invariants of the ledger looked at after each.
    public var steps = 0
    /// Operations that were prepared.
    public var operations = 0
    /// Packets that the loops were given.
    public var packets = 0
    /// Operations that were given up on.
    public var orphans = 0
    /// Operations left to the kernel when a loop ended, all of them reported.
    public var leaked = 0
    /// The first program that failed; the campaign ends with it.
    public var failure: CampaignFailure?
}

/// A program that broke a promise, shrunk to what is needed for that.
public struct CampaignFailure: Hashable, Sendable {
    /// The seed that finds it again: ``Campaign/replay(_:)``.
    public let seed: UInt64
    /// What the kernel was allowed to do.
    public let faults: SimulatedFaults
    /// The bug that the port had, in a test of the tests.
    package let bug: KernelBug?
    /// The steps that are needed. The ending, which every program has, is not among them.
    public let steps: [CampaignStep]
    /// Steps of the program before it was shrunk, up to the one that failed.
    public let prefixLength: Int
    /// What was promised and what was found.
    public let sentence: String
}

extension CampaignFailure: CustomStringConvertible {
    public var description: String { "seed \(seed), step \(prefixLength), shrunk to \(steps.count) steps: \(sentence)" }
}
