import LoopCore
import Testing

@Suite("Monotonic instants") struct MonotonicInstantTests {
    private let early = MonotonicInstant(nanoseconds: 100)
    private let late = MonotonicInstant(nanoseconds: 350)

    @Test("Instants are ordered by their nanoseconds, and nothing comes after the distant future") func order() {
        #expect(early < late)
        #expect(!(late < early))
        #expect(late < .distantFuture)
        #expect(MonotonicInstant(nanoseconds: .max) == .distantFuture)
    }

    @Test("Advancing adds nanoseconds") func advancing() {
        #expect(early.advanced(by: 250) == late)
        #expect(early.advanced(by: 0) == early)
    }

    @Test("Advancing past the end gives the distant future") func advancingTooFar() {
        #expect(early.advanced(by: .max - 100) == .distantFuture)
        #expect(early.advanced(by: .max - 99) == .distantFuture)
        #expect(early.advanced(by: .max) == .distantFuture)
        #expect(MonotonicInstant.distantFuture.advanced(by: 1) == .distantFuture)
        #expect(early.advanced(by: .max - 101) < .distantFuture)
    }

    @Test("The time since a later instant is zero") func since() {
        #expect(late.nanoseconds(since: early) == 250)
        #expect(early.nanoseconds(since: late) == 0)
        #expect(early.nanoseconds(since: early) == 0)
        #expect(MonotonicInstant.distantFuture.nanoseconds(since: MonotonicInstant(nanoseconds: 0)) == .max)
    }
}
