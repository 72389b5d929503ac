/// Random programs on a real loop over the simulated port, with a model beside them that knows what must be true.
///
/// ```swift
/// let report = Campaign.run(seeds: 0..<1_000, stepsPerSeed: 1_000)
/// if let failure = report.failure { print(failure, failure.steps) }
/// ```
///
/// A seed decides everything: the program, the kernel's faults, the order of packets. After each step the numbered invariants of the ledger
/// are checked and every operation, handle and count is compared with the model. At the end of a program either everything is healed, and
/// then nothing may be left, no byte lost and no byte out of order; or the loop is shut down as it is, and must name what it leaves behind.
public enum Campaign {
    /// Runs the programs of the given seeds, up to the first that fails. Without `faults` each seed draws its own.
    ///
    /// A trap ends the process, and there is no report then. `before` is called ahead of each program as step 0, of each step, and of the
    /// ending as one step more: where the latest call was, there the crash is again.
    public static func run(
        seeds: Range<UInt64>, stepsPerSeed: Int, faults: SimulatedFaults? = nil,
        before: (_ seed: UInt64, _ step: Int) -> Void = { _, _ in }
    ) -> CampaignReport {
        run(seeds: seeds, stepsPerSeed: stepsPerSeed, faults: faults, bug: nil, before: before)
    }

    /// The same, with a port that has a bug.
    package static func run(
        seeds: Range<UInt64>, stepsPerSeed: Int, faults: SimulatedFaults? = nil, bug: KernelBug?,
        before: (_ seed: UInt64, _ step: Int) -> Void = { _, _ in }
    ) -> CampaignReport {
        var report = CampaignReport()
        for seed in seeds {
            before(seed, 0)
            let faults = faults ?? .drawn(from: seed)
            let program = CampaignStep.program(seed: seed, count: stepsPerSeed)
            let run = CampaignRun(seed: seed, faults: faults, bug: bug)
            run.play(program) { before(seed, $0) }
            report.add(run)
            guard let failure = run.failure else { continue }
            let first = Trial(seed: seed, faults: faults, bug: bug, steps: [CampaignStep](program.prefix(run.stepsTaken)))
            let least = first.shrunk()
            report.failure = CampaignFailure(
                seed: seed, faults: least.faults, bug: bug, steps: least.steps, prefixLength: first.steps.count,
                sentence: least.play() ?? failure)
            return report
        }
        return report
    }

    /// Plays the steps of a failure again, and says what is wrong; nil once it is repaired.
    public static func replay(_ failure: CampaignFailure) -> String? {
        Trial(seed: failure.seed, faults: failure.faults, bug: failure.bug, steps: failure.steps).play()
    }
}

/// A program and its kernel, to be played and made smaller.
private struct Trial {
    let seed: UInt64
    var faults: SimulatedFaults
    let bug: KernelBug?
    var steps: [CampaignStep]

    func play() -> String? {
        let run = CampaignRun(seed: seed, faults: faults, bug: bug)
        run.play(steps)
        return run.failure
    }

    /// The smallest trial found that still fails: without the steps, then without the faults, then once more without the steps that are
    /// not needed. Every fault less leaves the random choices of the others more alike, so the second time finds more.
    func shrunk() -> Trial {
        var least = self
        least.dropSteps()
        while let simpler = least.faults.simplifications.map({ least.with($0) }).first(where: { $0.play() != nil }) { least = simpler }
        least.dropSteps()
        return least
    }

    private func with(_ faults: SimulatedFaults) -> Trial { Trial(seed: seed, faults: faults, bug: bug, steps: steps) }

    /// Leaves out steps, in halves, quarters and so on down to single ones, for as long as what is left still fails.
    private mutating func dropSteps() {
        var attempts = 0
        var size = steps.count / 2
        while size > 0, attempts < Trial.attemptsMax {
            var place = 0
            var isShorter = false
            while place < steps.count, attempts < Trial.attemptsMax {
                var fewer = self
                fewer.steps.removeSubrange(place..<min(place + size, steps.count))
                attempts += 1
                if fewer.play() != nil {
                    self = fewer
                    isShorter = true
                } else {
                    place += size
                }
            }
            if !isShorter || size > 1 { size /= 2 }
        }
    }

    /// Programs tried at most each time: about a second's worth.
    private static let attemptsMax = 2_000
}

extension CampaignReport {
    fileprivate mutating func add(_ run: CampaignRun) {
        seeds += run.failure == nil ? 1 : 0
        steps += run.stepsTaken
        operations += Int(run.preparedEver)
        packets += run.packets
        orphans += run.orphansEver
        leaked += run.leaked
    }
}
