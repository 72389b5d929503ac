import LoopCore
import Testing

@Suite("Timer heap: against a sorted array") struct TimerHeapModelTests {
    @Test("A hundred thousand random steps have the effect they have on a sorted array", arguments: [1, 2])
    func steps(seed: UInt64) throws {
        var run = ModelRun(seed: seed)
        // Long waves between few timers and many.
        for step in 0..<100_000 {
            run.step(isGrowing: step / 8_000 % 2 == 0)
            if let disagreement = run.disagreement {
                Issue.record("seed \(seed), step \(step): \(disagreement)")
                return
            }
            if step % 1_000 == 0 { try run.heap.checkInvariants() }
        }
        run.drain()
        try run.heap.checkInvariants()
        #expect(run.disagreement == nil)
        #expect(run.heap.count == 0)
        #expect(run.peak > 1_000)
        #expect(run.heap.capacity == 64)
    }
}

/// The same steps taken by the heap and by the simplest thing that could be right.
private struct ModelRun: ~Copyable {
    struct Timer {
        let id: TimerID
        var deadline: Int
        let value: Int
    }

    var heap = TimerHeap<Int>(slotsKept: 64)
    var waiting: [Timer] = []
    var batch: [Timer] = []
    var gone: [TimerID] = []
    var now = 0
    var counter = 0
    var peak = 0
    var generator: SeededRandom
    /// What went wrong first. Three `#expect` a step would take most of the test's time.
    var disagreement: String?

    init(seed: UInt64) {
        generator = SeededRandom(seed: seed)
    }

    mutating func step(isGrowing: Bool) {
        switch below(100) {
        case ..<(isGrowing ? 55 : 20): insert()
        case ..<65: cancel()
        case ..<75: rearm()
        case ..<80: askStale()
        case ..<85: now += below(isGrowing ? 3 : 40)
        case ..<90: pop()
        case ..<93: collect()
        default: take()
        }
        peak = max(peak, heap.count)
        check(heap.count == waiting.count + batch.count, "count")
        let next = min(waiting.first?.deadline ?? .max, batch.first?.deadline ?? .max)
        check(heap.nextDeadline == (next == .max ? nil : .at(next)), "next deadline")
    }

    mutating func drain() {
        now += 1_000_000
        while heap.count > 0 {
            collect()
            take()
        }
    }

    private mutating func insert() {
        let deadline = now + below(2_000) - 100
        let id = heap.insert(.at(max(0, deadline)), counter)
        place(Timer(id: id, deadline: max(0, deadline), value: counter))
        counter += 1
    }

    private mutating func cancel() {
        guard let timer = removeAny() else { return }
        check(heap.deadline(of: timer.id) == .at(timer.deadline), "deadline of a timer")
        check(heap.cancel(timer.id) == timer.value, "cancel")
        gone.append(timer.id)
    }

    private mutating func rearm() {
        guard var timer = removeAny() else { return }
        timer.deadline = now + below(1_000)
        check(heap.rearm(timer.id, .at(timer.deadline)), "rearm")
        place(timer)
    }

    private mutating func askStale() {
        guard !gone.isEmpty else { return }
        let id = gone[below(gone.count)]
        check(!heap.contains(id) && heap.cancel(id) == nil && !heap.rearm(id, .at(now)), "stale id")
    }

    private mutating func pop() {
        let isDue = batch.isEmpty && waiting.first.map { $0.deadline <= now } ?? false
        let expected = isDue ? waiting.removeFirst() : batch.isEmpty ? nil : batch.removeFirst()
        settle(heap.popDue(now: .at(now)), expected)
    }

    private mutating func collect() {
        let limit = below(4) == 0 ? 1 + below(200) : 100_000
        let wasEmpty = batch.isEmpty
        let found = heap.collectDue(now: .at(now), limit: limit)
        if wasEmpty {
            let due = waiting.prefix { $0.deadline <= now }.count
            check(found <= limit && found <= due && (found == due || due > limit), "collected within the limit")
            check(found > 0 || due == 0, "collected at least one")
            batch = Array(waiting.prefix(found))
            waiting.removeFirst(found)
        }
        check(found == batch.count, "collected")
    }

    private mutating func take() {
        for _ in 0..<(1 + below(60)) {
            settle(heap.takeCollected(), batch.isEmpty ? nil : batch.removeFirst())
        }
    }

    private mutating func settle(_ due: TimerHeap<Int>.Due?, _ expected: Timer?) {
        check(due?.id == expected?.id && due?.payload == expected?.value, "fired timer")
        check(due?.deadline == expected.map { .at($0.deadline) }, "deadline of a fired timer")
        if let id = due?.id { gone.append(id) }
    }

    private mutating func place(_ timer: Timer) {
        var (low, high) = (0, waiting.count)
        while low < high {
            let middle = (low + high) / 2
            if waiting[middle].deadline <= timer.deadline { low = middle + 1 } else { high = middle }
        }
        waiting.insert(timer, at: low)
    }

    private mutating func removeAny() -> Timer? {
        guard heap.count > 0 else { return nil }
        let index = below(waiting.count + batch.count)
        return index < batch.count ? batch.remove(at: index) : waiting.remove(at: index - batch.count)
    }

    private mutating func check(_ agrees: Bool, _ what: String) {
        if !agrees, disagreement == nil { disagreement = what }
    }

    private mutating func below(_ bound: Int) -> Int {
        Int(generator.next() % UInt64(bound))
    }
}
