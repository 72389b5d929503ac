import Testing

@testable import LoopCore

@Suite("The histogram") struct HistogramTests {
    @Test("An empty one has no quantile and no bucket") func empty() {
        let histogram = Histogram()
        #expect(histogram.quantile(0.5) == 0)
        #expect(histogram.filled.isEmpty)
        #expect(histogram.count == 0 && histogram.largest == 0)
    }

    @Test("A value lies in the bucket whose bound is the next power of two", arguments: 0..<64)
    func buckets(bit: Int) throws {
        var histogram = Histogram()
        let value: UInt64 = 1 << UInt64(bit)
        histogram.add(value)
        let bucket = try #require(histogram.filled.first)
        #expect(bucket.below == (bit == 63 ? .max : value << 1))
        #expect(bucket.count == 1)
        histogram.add(value - 1)
        #expect(histogram.filled.count == 2)
        #expect(histogram.filled.map(\.below).contains(value))
    }

    @Test("Zeros have a bucket of their own") func zeros() {
        var histogram = Histogram()
        for _ in 0..<3 { histogram.add(0) }
        #expect(histogram.filled.map(\.below) == [1])
        #expect(histogram.quantile(1) == 0)
    }

    @Test("A quantile bounds its share of the values, within a factor of two", arguments: [0.01, 0.25, 0.5, 0.9, 0.99, 1.0])
    func quantiles(share: Double) {
        var random = SeededRandom(seed: 11)
        var histogram = Histogram()
        let values = (0..<10_000).map { _ in UInt64.random(in: 1...1_000_000, using: &random) >> UInt64.random(in: 0..<20, using: &random) }
        for value in values { histogram.add(value) }
        let exact = values.sorted()[max(0, Int((Double(values.count) * share).rounded(.up)) - 1)]
        #expect(histogram.quantile(share) >= exact)
        #expect(histogram.quantile(share) <= max(1, exact * 2))
    }

    @Test("No quantile is above the largest value, and none below the share of nothing") func ends() {
        var histogram = Histogram()
        for value in [5, 900, .max] as [UInt64] { histogram.add(value) }
        #expect(histogram.quantile(1) == .max)
        #expect(histogram.quantile(0) == 7)
        #expect(histogram.quantile(0.5) == 1_023)
        #expect(histogram.largest == .max)
        var small = Histogram()
        small.add(600)
        #expect(small.quantile(1) == 600)
    }
}
