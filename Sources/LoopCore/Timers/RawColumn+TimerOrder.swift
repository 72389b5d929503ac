/// Puts entries into firing order: radix sort by deadline, because a million due timers sorted by comparison would cost more than all
/// the rest of firing them.
extension RawColumn where Element == TimerEntry {
    /// Up to this many entries, insertion sort beats the fixed cost of the radix passes (measured).
    static var insertionSortMax: Int { 128 }
    /// Digits of eleven bits make four passes of the nanoseconds of an hour, and eight kilobytes of counters, which the first-level cache
    /// still holds beside the data (measured: 16 ns an entry; 23 with eight bits, which are better only for small counts).
    private static var digitBitsMax: Int { 11 }

    /// Sorts the first `count` entries; `spare` lends memory, MUST have this column's capacity and lead, and is swapped with it at will.
    mutating func sortIntoFiringOrder(count: Int, spare: inout RawColumn<TimerEntry>) {
        if count <= Self.insertionSortMax {
            insertionSort(count: count)
            return
        }
        assert(spare.capacity == capacity && spare.lead == lead)
        radixSort(count: count, spare: &spare) { $0.deadline }
        if longestTie(count: count) <= Self.insertionSortMax {
            insertionSort(count: count)
        } else {
            // The passes are stable: sorted by ticket first, equal deadlines come out in the order of their tickets.
            radixSort(count: count, spare: &spare) { UInt64($0.ticket) }
            radixSort(count: count, spare: &spare) { $0.deadline }
        }
    }

    private mutating func insertionSort(count: Int) {
        var sorted = 1
        while sorted < count {
            let entry = self[sorted]
            var hole = sorted
            while hole > 0, entry < self[hole - 1] {
                self[hole] = self[hole - 1]
                hole -= 1
            }
            self[hole] = entry
            sorted += 1
        }
    }

    private func longestTie(count: Int) -> Int {
        var longest = 1
        var start = 0
        for index in 1..<count where self[index].deadline != self[start].deadline {
            longest = max(longest, index - start)
            start = index
        }
        return max(longest, count - start)
    }

    /// One stable pass for each digit in which the keys can differ, the lowest digit first.
    private mutating func radixSort(count: Int, spare: inout RawColumn<TimerEntry>, by key: (TimerEntry) -> UInt64) {
        var lowest = UInt64.max
        var highest = UInt64.min
        for index in 0..<count {
            lowest = min(lowest, key(self[index]))
            highest = max(highest, key(self[index]))
        }
        let bits = UInt64.bitWidth - (highest - lowest).leadingZeroBitCount
        let digitBits = count < 1 << Self.digitBitsMax ? 8 : Self.digitBitsMax
        let digitMax = UInt64(1) << UInt64(digitBits) - 1
        for shift in stride(from: 0, to: bits, by: digitBits) {
            distribute(count: count, into: &spare) { Int(truncatingIfNeeded: (key($0) &- lowest) &>> UInt64(shift) & digitMax) }
            swap(&self, &spare)
        }
    }

    private func distribute(count: Int, into target: inout RawColumn<TimerEntry>, by digit: (TimerEntry) -> Int) {
        // First how many entries have each digit, then where the next one of them goes.
        var places = InlineArray<2048, UInt32>(repeating: 0)
        for index in 0..<count { places[digit(self[index])] &+= 1 }
        var start: UInt32 = 0
        for value in places.indices {
            let length = places[value]
            places[value] = start
            start &+= length
        }
        for index in 0..<count {
            let value = digit(self[index])
            target[Int(places[value])] = self[index]
            places[value] &+= 1
        }
    }
}
