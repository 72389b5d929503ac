internal import CLoopWin32

/// The clock and the timer that a wait is cut short with.
enum ClockCases {
    static let suite = Suite(
        "clocks",
        [
            Case("the clock counts nanoseconds and never goes back") { check throws(Unmet) in
                var last = portloop_win32_clock_nanoseconds()
                check.expect(last > 0, "it runs")
                for _ in 0..<1000 {
                    let now = portloop_win32_clock_nanoseconds()
                    check.expect(now >= last, "it never goes back")
                    last = now
                }
                let port = try RawPort()
                _ = port.wait(milliseconds: 30)
                let took = portloop_win32_clock_nanoseconds() - last
                check.expect(took >= 25_000_000 && took < 5_000_000_000, "30 ms were \(took) ns")
            },
            Case("a timer ends an alertable wait with code 192, not before its time") { check throws(Unmet) in
                let (port, timer) = (try RawPort(), try RawTimer())
                let began = portloop_win32_clock_nanoseconds()
                try check.must("arm", portloop_win32_timer_arm(timer.handle, 5_000_000 / 100))
                let (code, packets) = port.wait(milliseconds: 5000, isAlertable: true)
                let took = portloop_win32_clock_nanoseconds() - began
                check.expectEqual(code, UInt32(portloop_win32_wait_io_completion), "the code")
                check.expect(packets.isEmpty, "no packets")
                check.expect(took >= 5_000_000, "5 ms were \(took) ns")
                check.expect(took < 2_000_000_000, "5 ms were \(took) ns")
            },
            Case("a timer of no time at all is due at once") { check throws(Unmet) in
                let (port, timer) = (try RawPort(), try RawTimer())
                try check.must("arm", portloop_win32_timer_arm(timer.handle, 0))
                let code = port.wait(milliseconds: 5000, isAlertable: true).code
                check.expectEqual(code, UInt32(portloop_win32_wait_io_completion), "the code")
            },
            Case("a timer leaves a wait alone that is not alertable, and ends the next one that is") { check throws(Unmet) in
                let (port, timer) = (try RawPort(), try RawTimer())
                try check.must("arm", portloop_win32_timer_arm(timer.handle, 1000))
                check.expectEqual(port.wait(milliseconds: 30).code, UInt32(portloop_win32_wait_timeout), "not alertable")
                let code = port.wait(milliseconds: 5000, isAlertable: true).code
                check.expectEqual(code, UInt32(portloop_win32_wait_io_completion), "alertable")
            },
            Case("a timer that was cancelled ends nothing, also when it was due") { check throws(Unmet) in
                let (port, timer) = (try RawPort(), try RawTimer())
                try check.must("arm", portloop_win32_timer_arm(timer.handle, 100_000))
                try check.must("cancel", portloop_win32_timer_cancel(timer.handle))
                let early = port.wait(milliseconds: 30, isAlertable: true).code
                check.expectEqual(early, UInt32(portloop_win32_wait_timeout), "cancelled before it was due")
                try check.must("arm", portloop_win32_timer_arm(timer.handle, 10))
                check.expectEqual(portloop_win32_wait(timer.handle, 5000), 0, "it is due")
                try check.must("cancel", portloop_win32_timer_cancel(timer.handle))
                let late = port.wait(milliseconds: 30, isAlertable: true).code
                check.expectEqual(late, UInt32(portloop_win32_wait_timeout), "cancelled after it was due")
            },
            Case("a packet and a timer: the packet is not lost") { check throws(Unmet) in
                let (port, timer) = (try RawPort(), try RawTimer())
                try check.must("arm", portloop_win32_timer_arm(timer.handle, 0))
                check.expectEqual(portloop_win32_wait(timer.handle, 5000), 0, "it is due")
                port.post(key: 9)
                var keys: [UInt] = []
                for _ in 0..<2 { keys += port.wait(milliseconds: 100, isAlertable: true).packets.map { $0.key } }
                check.expect(keys == [9], "the packet")
            },
            Case("an armed timer can be armed again") { check throws(Unmet) in
                let (port, timer) = (try RawPort(), try RawTimer())
                try check.must("arm", portloop_win32_timer_arm(timer.handle, 600_000_000))
                try check.must("arm", portloop_win32_timer_arm(timer.handle, 10_000))
                let code = port.wait(milliseconds: 5000, isAlertable: true).code
                check.expectEqual(code, UInt32(portloop_win32_wait_io_completion), "the code")
            },
        ])
}

/// A waitable timer.
private final class RawTimer {
    let handle: Int

    init() throws(Unmet) {
        var (made, isFine) = (0, Int32(0))
        let code = unsafe portloop_win32_timer_create(&made, &isFine)
        handle = made
        if code != 0 { throw .failed("a timer: error \(code)") }
    }

    deinit { _ = portloop_win32_close_handle(handle) }
}
