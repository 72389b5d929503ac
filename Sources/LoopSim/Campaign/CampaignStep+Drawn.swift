extension CampaignStep {
    /// The program of a seed: the same steps each time, and the first ones the same for every length.
    static func program(seed: UInt64, count: Int) -> [CampaignStep] {
        var random = SimulatedRandom(seed: seed ^ 0x57E9)
        var steps: [CampaignStep] = []
        steps.reserveCapacity(count)
        for _ in 0..<count { steps.append(random.step()) }
        return steps
    }
}

extension SimulatedRandom {
    fileprivate mutating func step() -> CampaignStep {
        switch below(100) {
        case 0..<6: .open(pick(LineKind.allCases))
        case 6..<22: .begin(line: byte(), verb: pick(CampaignVerb.allCases), bytes: bytes(), wait: wait())
        case 22..<24: .prepare(line: byte(), bytes: bytes())
        case 24..<29: .start(operation: byte(), verb: pick(CampaignVerb.allCases))
        case 29..<34: .perform(line: byte(), verb: pick(PerformVerb.allCases), bytes: UInt8(below(40)), wait: wait())
        case 34..<56: .call(operation: byte(), call())
        case 56..<69: world()
        case 69..<76: rare()
        case 76..<77: .recycle(line: byte())
        case 77..<82: thread()
        case 82..<83: .advance(microseconds: UInt16(below(4000)))
        case 83..<85: .turnWithoutBound
        case 85..<90: .turn(microseconds: 0)
        default: .turn(microseconds: microseconds())
        }
    }

    private mutating func world() -> CampaignStep {
        switch below(8) {
        case 0, 1, 2: .feed(line: byte(), bytes: UInt8(1 + below(60)))
        case 3, 4: .drain(line: byte(), bytes: UInt8(1 + below(100)))
        case 5: .completeDevice(line: byte(), bytes: UInt8(below(40)))
        case 6: .completeRemote(operation: byte(), pick(CampaignRemote.allCases))
        default: below(6) == 0 ? .hangUp(line: byte()) : .feed(line: byte(), bytes: UInt8(1 + below(60)))
        }
    }

    private mutating func rare() -> CampaignStep {
        switch below(14) {
        case 0, 1: .retire(line: byte())
        case 2, 3: .close(line: byte())
        case 4, 5, 12: .associateAgain(line: byte())
        case 6, 7: .callDead(operation: byte(), call())
        case 8, 9: .callForeign(call())
        case 10: .dropHeld
        default: .releaseStuck
        }
    }

    private mutating func thread() -> CampaignStep {
        switch below(7) {
        case 0: .postFromThread
        case 1, 2: .postWhileAsleep(afterMicroseconds: microseconds())
        case 3: .failWakes(UInt8(below(4)))
        case 4: .startTimer(afterMicroseconds: microseconds())
        case 5: .cancelTimer(byte())
        default: .moveTimer(byte(), afterMicroseconds: microseconds())
        }
    }

    private mutating func call() -> CampaignCall {
        switch below(17) {
        case 0: .state
        case 1, 2: .cancel
        case 3, 4, 5: .take
        case 6: .takeForCall
        case 7: .hold
        case 8: .free
        case 9, 10: .abandon
        case 11: .submitted
        case 12: .cancelWait
        case 13: .renew
        default: .wait(timeoutMicroseconds: timeout(), pick(SimulatedRandom.followUps))
        }
    }

    private mutating func wait() -> CampaignWait {
        below(4) == 0 ? .none : .callback(timeoutMicroseconds: timeout(), pick(SimulatedRandom.followUps))
    }

    /// Mostly such as take the result: a program whose results nobody takes runs into its limits and stays there.
    private static let followUps: [FollowUp] = [
        .take, .take, .take, .take, .take, .free, .free, .nothing, .readAgain, .cancelSibling, .takeSibling, .retire,
    ]

    private mutating func timeout() -> UInt16 { below(4) == 0 ? 0 : microseconds() }

    private mutating func microseconds() -> UInt16 { UInt16(1 + below(400)) }

    private mutating func byte() -> UInt8 { UInt8(below(256)) }

    /// Mostly small, sometimes none, now and then more than a limit allows.
    private mutating func bytes() -> UInt16 {
        switch below(20) {
        case 0: 0
        case 1: UInt16(below(2000))
        default: UInt16(1 + below(64))
        }
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
}
