internal import CLoopWin32

/// What the kernel's queue does by itself.
enum PortCases {
    static let suite = Suite(
        "ports",
        [
            Case("a packet comes out as it was posted") { check throws(Unmet) in
                let (port, block) = (try RawPort(), Block())
                port.post(key: 7, bytes: 11, block: block)
                let packet = try port.next("a post")
                check.expectEqual(packet.key, 7, "the key")
                check.expectEqual(packet.bytes, 11, "the count")
                check.expectEqual(packet.block, block.address, "the control block")
                check.expect(port.isEmpty, "and nothing else")
            },
            Case("packets come in order, as many as there is room for") { check throws(Unmet) in
                let port = try RawPort()
                for key in 1...5 { port.post(key: UInt(key)) }
                check.expect(port.wait(milliseconds: 0, max: 3).packets.map { $0.key } == [1, 2, 3], "the first three")
                check.expect(port.wait(milliseconds: 0, max: 3).packets.map { $0.key } == [4, 5], "the other two")
            },
            Case("a packet may have no control block, and one that is no pointer") { check throws(Unmet) in
                let port = try RawPort()
                port.post(key: .max, bytes: .max)
                let packet = try port.next("a post")
                check.expectEqual(packet.block, 0, "the control block")
                check.expectEqual(packet.bytes, .max, "the count")
                // SAFETY: nobody follows it.
                let forged = unsafe UnsafeMutablePointer<portloop_win32_overlapped>(bitPattern: 0xDEAD_BEE0)
                _ = unsafe portloop_win32_port_post(port.handle, 0, 1, forged)
                check.expectEqual(try port.next("a forged post").block, 0xDEAD_BEE0, "a forged control block")
            },
            Case("a wait without packets ends when its time is up, with code 258") { check throws(Unmet) in
                let port = try RawPort()
                let began = portloop_win32_clock_nanoseconds()
                let (code, packets) = port.wait(milliseconds: 20)
                check.expectEqual(code, UInt32(portloop_win32_wait_timeout), "the code")
                check.expect(packets.isEmpty, "no packets")
                check.expect(portloop_win32_clock_nanoseconds() - began >= 15_000_000, "it waited")
                check.expectEqual(port.wait(milliseconds: 0).code, UInt32(portloop_win32_wait_timeout), "without a wait")
            },
            Case("a handle that is no port is refused with its code") { check throws(Unmet) in
                var count: UInt32 = 0
                var entry = unsafe portloop_win32_entry()
                check.expectEqual(unsafe portloop_win32_port_wait(0x7FF0, &entry, 1, 0, 0, &count), 6, "waiting")
                check.expectEqual(portloop_win32_port_post(0x7FF0, 0, 0, nil), 6, "posting")
                check.expectEqual(portloop_win32_close_handle(0x7FF0), 6, "closing")
            },
            Case("a post on a port that was closed fails") { check throws(Unmet) in
                var port = 0
                try check.must("create", unsafe portloop_win32_port_create(&port))
                try check.must("close", portloop_win32_close_handle(port))
                check.expectEqual(portloop_win32_port_post(port, 0, 0, nil), UInt32(portloop_win32_invalid_handle), "the code")
            },
        ])
}
