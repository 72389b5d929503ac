internal import CLoopWin32

/// Serial ports, as far as they can be looked at without one.
enum CommCases {
    static let suite = Suite(
        "serial ports",
        [
            Case("the bits of a state are the ones Windows sets") { check throws(Unmet) in
                let plain = try parse("baud=9600 parity=n data=8 stop=1")
                check.expectEqual(plain.length, 28, "the length")
                check.expectEqual(plain.baud_rate, 9600, "the rate")
                check.expectEqual(plain.byte_size, 8, "the bits")
                check.expectEqual(plain.parity, 0, "no parity")
                check.expectEqual(plain.stop_bits, 0, "one stop bit")
                let even = try parse("baud=1200 parity=e data=7 stop=2")
                check.expectEqual(even.parity, 2, "even parity")
                check.expectEqual(even.byte_size, 7, "seven bits")
                check.expectEqual(even.stop_bits, 2, "two stop bits")
                try expect(check, "xon=on", portloop_win32_dcb_out_x | portloop_win32_dcb_in_x)
                try expect(check, "octs=on", portloop_win32_dcb_out_cts)
                try expect(check, "odsr=on", portloop_win32_dcb_out_dsr)
                try expect(check, "idsr=on", portloop_win32_dcb_dsr_sensitive)
                try expect(check, "dtr=on", 1 << portloop_win32_dcb_dtr_shift)
                try expect(check, "rts=on", 1 << portloop_win32_dcb_rts_shift)
            },
            Case("the two bits of a line that shakes hands are the ones Windows sets") { check throws(Unmet) in
                // Wine knows these lines on and off only.
                var state = portloop_win32_comm_state()
                let code = unsafe portloop_win32_comm_state_parse("baud=9600 parity=n data=8 stop=1 dtr=hs".wide, &state)
                if code != 0 { throw .notApplicable("a system that reads the word hs") }
                try expect(check, "dtr=hs", 2 << portloop_win32_dcb_dtr_shift)
                try expect(check, "rts=hs", 2 << portloop_win32_dcb_rts_shift)
                try expect(check, "rts=tg", 3 << portloop_win32_dcb_rts_shift)
            },
            Case("words that mean nothing are refused") { check throws(Unmet) in
                var state = portloop_win32_comm_state()
                check.expectEqual(unsafe portloop_win32_comm_state_parse("baud=many".wide, &state), 87, "the code")
            },
            Case("a file is no serial port, for every question") { check throws(Unmet) in
                let file = try RawHandle.open(try Scratch.path(), Windows.genericWrite, Windows.createAlways)
                var state = portloop_win32_comm_state()
                var timeouts = portloop_win32_comm_timeouts()
                var status = portloop_win32_comm_status()
                var properties = portloop_win32_comm_properties()
                var word: UInt32 = 0
                let handle = file.handle
                check.expect(unsafe portloop_win32_comm_state_get(handle, &state) != 0, "its state")
                check.expect(unsafe portloop_win32_comm_state_set(handle, &state) != 0, "setting it")
                check.expect(unsafe portloop_win32_comm_timeouts_get(handle, &timeouts) != 0, "its timeouts")
                check.expect(unsafe portloop_win32_comm_timeouts_set(handle, &timeouts) != 0, "setting them")
                check.expect(unsafe portloop_win32_comm_mask_get(handle, &word) != 0, "its mask")
                check.expect(portloop_win32_comm_mask_set(handle, 1) != 0, "setting it")
                check.expect(unsafe portloop_win32_comm_modem_status(handle, &word) != 0, "its lines")
                check.expect(unsafe portloop_win32_comm_clear_error(handle, &word, &status) != 0, "its errors")
                check.expect(unsafe portloop_win32_comm_properties_get(handle, &properties) != 0, "its properties")
                check.expect(unsafe portloop_win32_comm_wait(handle, &word, Block().overlapped) != 0, "its events")
                check.expect(portloop_win32_comm_escape(handle, 3) != 0, "its RTS")
                check.expect(portloop_win32_comm_set_break(handle) != 0, "its break")
                check.expect(portloop_win32_comm_clear_break(handle) != 0, "the end of it")
                check.expect(portloop_win32_comm_purge(handle, 15) != 0, "its queues")
                check.expect(portloop_win32_comm_set_queues(handle, 512, 512) != 0, "their sizes")
                check.expect(portloop_win32_comm_send_urgent(handle, 1) != 0, "a byte")
            },
        ])

    private static func parse(_ words: String) throws(Unmet) -> portloop_win32_comm_state {
        var state = portloop_win32_comm_state()
        let code = unsafe portloop_win32_comm_state_parse(words.wide, &state)
        if code != 0 { throw .failed("\(words): error \(code)") }
        return state
    }

    /// The words set exactly these bits, of those that words can set.
    private static func expect(_ check: Check, _ words: String, _ bits: Int) throws(Unmet) {
        let found = try parse("baud=9600 parity=n data=8 stop=1 " + words).flags
        check.expectEqual(found & UInt32(bits), UInt32(bits), words)
    }
}
