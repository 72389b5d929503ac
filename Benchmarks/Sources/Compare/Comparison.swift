import Foundation

/// One figure, measured for several programs in interleaved rounds.
struct Comparison {
    let name: String
    /// The programs, the first of which may have rivals for the place of the floor: the cheapest floor of the whole run counts.
    let entrants: [Entrant]
    /// Measures all of them once, in the order of those places, and returns their figures in that order; nil when it failed, which ends
    /// the comparison.
    let measure: ([Int]) -> [Double]?

    struct Entrant {
        let name: String
        let isFloor: Bool
        /// What is told of beside the figure, where there is such.
        var latencies: Latencies?
    }

    init(name: String, entrants: [Entrant], measure: @escaping ([Int]) -> [Double]?) {
        self.name = name
        self.entrants = entrants
        self.measure = measure
    }

    /// A comparison of programs that run one behind the other.
    init(name: String, programs: [Measured]) {
        self.init(name: name, entrants: programs.map { Entrant(name: $0.name, isFloor: $0.isFloor) }) { places in
            var figures: [Double] = []
            for place in places {
                guard let figure = programs[place].measure() else {
                    print("\(programs[place].name) failed")
                    return nil
                }
                figures.append(figure)
            }
            return figures
        }
    }

    /// Every round measures every entrant, in an order of its own, so that a slow stretch of the machine meets all of them.
    func run(rounds: Int) {
        var figures = [[Double]](repeating: [], count: entrants.count)
        for _ in 0..<rounds {
            let order = entrants.indices.shuffled()
            guard let found = measure(order), found.count == order.count else {
                print("\(name): failed")
                exit(1)
            }
            for (place, figure) in zip(order, found) { figures[place].append(figure) }
        }
        report(figures)
    }

    private func report(_ figures: [[Double]]) {
        let floors = entrants.indices.filter { entrants[$0].isFloor }
        guard let floor = floors.min(by: { median(figures[$0]) < median(figures[$1]) }) else { return }
        print("\(name), \(figures[0].count) rounds, against \(entrants[floor].name):")
        for place in entrants.indices {
            let ratio = PairedRatio(figures[place], over: figures[floor])
            let padded = entrants[place].name.padding(toLength: 20, withPad: " ", startingAt: 0)
            let bounds = "[\(format(ratio.low, 3)), \(format(ratio.high, 3))]"
            let times = entrants[place].latencies.map { "   p50 / p99 / p99.9: \($0.text) µs" } ?? ""
            print("  \(padded) \(format(median(figures[place]), 1)) ns   × \(format(ratio.mean, 3)) \(bounds)\(times)")
        }
    }
}

/// A program that is measured by itself.
struct Measured {
    let name: String
    let isFloor: Bool
    /// Runs once and returns the figure; nil when it failed.
    let measure: () -> Double?
}

/// The ratio of two figures that were measured in pairs: the geometric mean of the rounds' ratios, with its 95 % bounds.
struct PairedRatio {
    let mean: Double
    let low: Double
    let high: Double

    init(_ figures: [Double], over others: [Double]) {
        let logs = zip(figures, others).map { log($0 / $1) }
        let count = Double(logs.count)
        let center = logs.reduce(0, +) / count
        let variance = logs.map { ($0 - center) * ($0 - center) }.reduce(0, +) / max(1, count - 1)
        let reach = studentT(logs.count - 1) * (variance / count).squareRoot()
        mean = exp(center)
        low = exp(center - reach)
        high = exp(center + reach)
    }
}

/// The 97.5 % point of Student's distribution, by the usual table up to 30 degrees of freedom.
private func studentT(_ degrees: Int) -> Double {
    let table = [
        12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093,
        2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ]
    return degrees < 1 ? .infinity : degrees <= table.count ? table[degrees - 1] : 1.96 + 2.4 / Double(degrees)
}

func median(_ figures: [Double]) -> Double {
    let sorted = figures.sorted()
    return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

func format(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
