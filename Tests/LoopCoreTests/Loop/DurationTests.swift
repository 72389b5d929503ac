import Testing

@testable import LoopCore

@Suite("Durations in nanoseconds") struct DurationTests {
    @Test("They are rounded up, never down", arguments: [(1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2)])
    func up(attoseconds: Int64, nanoseconds: UInt64) {
        #expect(Duration(secondsComponent: 0, attosecondsComponent: attoseconds).wholeNanoseconds == nanoseconds)
        #expect(Duration(secondsComponent: 3, attosecondsComponent: attoseconds).wholeNanoseconds == 3_000_000_000 + nanoseconds)
    }

    @Test("Whole ones are exact") func exact() {
        #expect(Duration.zero.wholeNanoseconds == 0)
        #expect(Duration.nanoseconds(7).wholeNanoseconds == 7)
        #expect(Duration.milliseconds(1).wholeNanoseconds == 1_000_000)
        #expect(Duration.seconds(3_600).wholeNanoseconds == 3_600_000_000_000)
    }

    @Test("The last attosecond of a second carries into the next") func carry() {
        let almost = Duration(secondsComponent: 1, attosecondsComponent: 999_999_999_999_999_999)
        #expect(almost.wholeNanoseconds == 2_000_000_000)
    }

    @Test("A negative one is none", arguments: [-1, -1_000_000_000_000_000_000, -1_500_000_000_000_000_000] as [Int64])
    func negative(attoseconds: Int64) {
        #expect(Duration(secondsComponent: 0, attosecondsComponent: attoseconds).wholeNanoseconds == 0)
        #expect(Duration(secondsComponent: -5, attosecondsComponent: attoseconds).wholeNanoseconds == 0)
    }

    @Test("One that is too long for 64 bits is the longest") func huge() {
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(18_446_744_074).wholeNanoseconds == .max)
        #expect(Duration(secondsComponent: 18_446_744_073, attosecondsComponent: 709_551_615_000_000_000).wholeNanoseconds == .max)
        #expect(
            Duration(secondsComponent: 18_446_744_073, attosecondsComponent: 709_551_614_000_000_000).wholeNanoseconds == UInt64.max - 1)
        #expect(Duration(secondsComponent: 18_446_744_073, attosecondsComponent: 709_551_615_000_000_001).wholeNanoseconds == .max)
    }

    @Test("A timeout that ends after the end of time never ends the wait") func overflow() {
        #expect(MonotonicInstant(nanoseconds: 5).advanced(by: Duration.seconds(Int64.max).wholeNanoseconds) == .distantFuture)
    }
}
