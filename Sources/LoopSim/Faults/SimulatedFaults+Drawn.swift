extension SimulatedFaults {
    /// A kernel of its own for each seed: about half of the faults are on, each at a rate of its own. Campaigns use it, so that no two
    /// faults are only ever seen together.
    public static func drawn(from seed: UInt64) -> SimulatedFaults {
        var random = SimulatedRandom(seed: seed ^ 0xFA17)
        func draw(_ most: Int) -> Chance { random.below(2) == 0 ? .never : Chance(perThousand: random.below(most + 1)) }
        var faults = SimulatedFaults()
        faults.refusesOperations = draw(100)
        faults.refusesAssociations = draw(100)
        faults.startsLate = draw(600)
        faults.getsStuck = draw(20)
        faults.shortReads = draw(500)
        faults.emptyReads = draw(100)
        faults.timeoutStatuses = draw(200)
        faults.warningStatuses = draw(200)
        faults.failsLate = draw(100)
        faults.refusesCancels = draw(300)
        faults.slowCancels = draw(600)
        faults.abortsWithBytes = draw(800)
        faults.acceptsLateCancels = draw(1000)
        faults.reordersPackets = draw(600)
        faults.foreignPackets = draw(100)
        faults.returnsEarly = draw(300)
        faults.spuriousWakes = draw(300)
        faults.wakeDelayNanoseconds = UInt64(random.below(2) * random.below(50_000))
        faults.delayMaxNanoseconds = UInt64(1 + random.below(400_000))
        faults.close = random.below(2) == 0 ? .endsOperations : .forgetsOperations
        return faults
    }

    /// The same kernel with one fault less, for each fault that is on: what a failure is tried with to see which of them it needs.
    var simplifications: [SimulatedFaults] {
        let switches: [(inout SimulatedFaults) -> Void] = [
            { $0.refusesOperations = .never }, { $0.refusesAssociations = .never }, { $0.startsLate = .never }, { $0.getsStuck = .never },
            { $0.shortReads = .never }, { $0.emptyReads = .never }, { $0.timeoutStatuses = .never }, { $0.warningStatuses = .never },
            { $0.failsLate = .never }, { $0.refusesCancels = .never }, { $0.slowCancels = .never }, { $0.abortsWithBytes = .never },
            { $0.acceptsLateCancels = .never }, { $0.reordersPackets = .never }, { $0.foreignPackets = .never },
            { $0.returnsEarly = .never }, { $0.spuriousWakes = .never }, { $0.wakeDelayNanoseconds = 0 }, { $0.close = .endsOperations },
        ]
        return switches.map { turnOff in
            var fewer = self
            turnOff(&fewer)
            return fewer
        }.filter { $0 != self }
    }
}
