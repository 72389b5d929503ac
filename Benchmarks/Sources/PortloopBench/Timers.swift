import Glibc
import Portloop

/// One million timers with random deadlines: what inserting, cancelling in random order, and firing cost each.
func runTimers(count: Int) {
    let loop = makeLoop()
    let ops = loop.operationsOnThisThread()
    var random = Xorshift()
    let hour: UInt64 = 3_600_000_000_000
    let deadlines = (0..<count).map { _ in random.next() % hour }
    var order = Array(0..<count)
    for place in stride(from: count, to: 1, by: -1) { order.swapAt(place - 1, Int(random.next() % UInt64(place))) }
    let near = (0..<count).map { _ in random.next() % 1_000_000 }
    let fired = Counter()
    let call: () -> Void = { fired.count += 1 }

    var ids: [TimerID] = []
    ids.reserveCapacity(count)
    let start = loop.now
    for deadline in deadlines { ids.append(ops.call(at: start.advanced(by: hour + deadline), call)) }
    let inserted = loop.now
    for place in order { ops.cancel(ids[place]) }
    let cancelled = loop.now
    let base = loop.now
    for deadline in near { ops.call(at: base.advanced(by: deadline), call) }
    while loop.now.nanoseconds(since: base) < 1_000_000 {}
    let due = loop.now
    while fired.count < count { loop.turn(.poll) }
    let done = loop.now
    func each(_ from: MonotonicInstant, _ to: MonotonicInstant) -> Double { Double(to.nanoseconds(since: from)) / Double(count) }
    let left = ops.metrics.timersWaiting
    print("insert_ns=\(each(start, inserted)) cancel_ns=\(each(inserted, cancelled)) fire_ns=\(each(due, done)) left=\(left)")
}

final class Counter {
    var count = 0
}

/// The generator of the peers' programs, with their seed.
struct Xorshift {
    private var state: UInt64 = 88_172_645_463_325_252

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
