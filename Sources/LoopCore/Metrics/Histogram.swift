/// How often values of each magnitude came: one bucket for each power of two, so that adding is a count of leading zeros.
public struct Histogram: Sendable {
    /// Bucket n counts values below 2^n that are not below 2^(n-1); bucket 0 counts zeros.
    private var buckets = InlineArray<65, UInt64>(repeating: 0)
    /// Values added.
    public private(set) var count: UInt64 = 0
    /// The largest value added.
    public private(set) var largest: UInt64 = 0

    public init() {}

    @inline(__always)
    mutating func add(_ value: UInt64) {
        buckets[UInt64.bitWidth - value.leadingZeroBitCount] &+= 1
        count &+= 1
        if value > largest { largest = value }
    }

    /// A bound that the given share of the values does not exceed; exact within a factor of two, and never above ``largest``.
    public func quantile(_ share: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let rank = UInt64((Double(count) * share).rounded(.up))
        var seen: UInt64 = 0
        for bucket in 0...64 {
            seen += buckets[bucket]
            if seen >= max(1, rank) { return min(largest, bucket == 64 ? .max : (1 << UInt64(bucket)) - 1) }
        }
        return largest
    }

    /// The buckets that are not empty: the bound below which their values lie, and how many there were.
    public var filled: [(below: UInt64, count: UInt64)] {
        var found: [(below: UInt64, count: UInt64)] = []
        for bucket in 0...64 where buckets[bucket] > 0 { found.append((bucket == 64 ? .max : 1 << UInt64(bucket), buckets[bucket])) }
        return found
    }
}
