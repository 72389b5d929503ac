internal import CLoopWin32

/// Readiness of sockets, through the driver.
enum ReadinessCases {
    static let suite = Suite(
        "readiness",
        [
            Case("a socket that can send is ready at once") { check throws(Unmet) in
                let (port, ends) = (try RawPort(), try RawSocket.pair())
                let helper = try Helper(port)
                let poll = try PollBlock(ends.0, portloop_win32_poll_send | portloop_win32_poll_receive)
                try check.owes("poll", helper.submit(poll))
                try port.next("the poll", of: poll.block)
                check.expectEqual(poll.block.status, 0, "the status")
                check.expectEqual(poll.answer.count, 1, "sockets that are ready")
                check.expectEqual(poll.answer.entry.events, UInt32(portloop_win32_poll_send), "what it is ready for")
                check.expect(port.isEmpty, "and nothing else")
            },
            Case("a socket without bytes is ready when some come") { check throws(Unmet) in
                let (port, ends) = (try RawPort(), try RawSocket.pair())
                let helper = try Helper(port)
                let poll = try PollBlock(ends.0, portloop_win32_poll_receive)
                check.expectEqual(helper.submit(poll), Windows.pending, "poll")
                check.expect(port.isEmpty, "not yet")
                try ends.1.sendNow([1])
                try port.next("the poll", of: poll.block)
                check.expect(poll.answer.entry.events & UInt32(portloop_win32_poll_receive) != 0, "it can receive")
                check.expect(try ends.0.receiveNow(max: 8) == [1], "the byte")
            },
            Case("a peer that is gone is an event") { check throws(Unmet) in
                let (port, ends) = (try RawPort(), try RawSocket.pair())
                let helper = try Helper(port)
                let poll = try PollBlock(ends.0, portloop_win32_poll_disconnect | portloop_win32_poll_abort)
                check.expectEqual(helper.submit(poll), Windows.pending, "poll")
                try check.must("shutdown", portloop_win32_socket_shutdown(ends.1.handle, 1))
                try port.next("the poll", of: poll.block)
                check.expect(poll.answer.entry.events & UInt32(portloop_win32_poll_disconnect) != 0, "the peer is gone")
            },
            Case("a listener is ready when somebody connects") { check throws(Unmet) in
                let (port, listener, client) = (try RawPort(), try RawSocket(.tcp), try RawSocket(.tcp))
                try listener.listen()
                let helper = try Helper(port)
                let poll = try PollBlock(listener, portloop_win32_poll_accept)
                check.expectEqual(helper.submit(poll), Windows.pending, "poll")
                var address = try listener.name()
                try check.must(
                    "connect", unsafe portloop_win32_socket_connect_now(client.handle, &address, RawSocket.addressBytes))
                try port.next("the poll", of: poll.block)
                check.expectEqual(poll.answer.entry.events, UInt32(portloop_win32_poll_accept), "it can accept")
            },
            Case("a cancelled poll has one packet, with status 0xC0000120") { check throws(Unmet) in
                let (port, ends) = (try RawPort(), try RawSocket.pair())
                let helper = try Helper(port)
                let poll = try PollBlock(ends.0, portloop_win32_poll_receive)
                check.expectEqual(helper.submit(poll), Windows.pending, "poll")
                try check.must("cancel", unsafe portloop_win32_poll_cancel(helper.handle, poll.block.overlapped))
                try port.next("the poll", of: poll.block)
                check.expectEqual(poll.block.status, Windows.statusCancelled, "the status")
                let again = unsafe portloop_win32_poll_cancel(helper.handle, poll.block.overlapped)
                check.expectEqual(again, UInt32(portloop_win32_not_found), "there is nothing left to cancel")
                check.expect(port.isEmpty, "and nothing else")
            },
            Case("a poll of a socket that is closed meanwhile ends") { check throws(Unmet) in
                let port = try RawPort()
                let helper = try Helper(port)
                let (near, far) = try RawSocket.pair()
                let poll = try PollBlock(near, portloop_win32_poll_receive | portloop_win32_poll_local_close)
                check.expectEqual(helper.submit(poll), Windows.pending, "poll")
                try check.must("close", near.close())
                let packet = port.wait(milliseconds: 500).packets.first
                if packet == nil {
                    // The poll keeps the socket's file: it must still be possible to end it.
                    try check.must("cancel", unsafe portloop_win32_poll_cancel(helper.handle, poll.block.overlapped))
                    try port.next("the cancelled poll", of: poll.block)
                    throw .notApplicable("a driver that ends polls of a socket that is closed")
                }
                check.expectEqual(packet?.block ?? 0, poll.block.address, "the poll's packet")
                withExtendedLifetime(far) {}
            },
            Case("what is no socket has no base") { check throws(Unmet) in
                let file = try RawHandle.open(try Scratch.path(), Windows.genericWrite, Windows.createAlways)
                var base = 0
                let code = unsafe portloop_win32_poll_base_socket(file.handle, &base)
                // Wine answers SIO_BASE_HANDLE with whatever handle it is asked about.
                if code == 0 && base == file.handle { throw .notApplicable("a Winsock that looks at the handle") }
                check.expectEqual(code, UInt32(portloop_win32_not_socket), "a file")
            },
        ])
}

/// What polls are sent through.
private final class Helper {
    let handle: Int

    init(_ port: RawPort) throws(Unmet) {
        var made = 0
        let code = unsafe portloop_win32_poll_open(&made)
        handle = made
        if code != 0 { throw .failed("the driver: error \(code)") }
        try port.associate(made, key: 99)
    }

    deinit { _ = portloop_win32_close_handle(handle) }

    func submit(_ poll: PollBlock) -> UInt32 {
        unsafe portloop_win32_poll_submit(
            handle, poll.block.buffer.baseAddress?.assumingMemoryBound(to: portloop_win32_poll.self), poll.block.overlapped)
    }
}

/// One poll of one socket.
private final class PollBlock {
    let block = Block(bytes: MemoryLayout<portloop_win32_poll>.size)

    init(_ socket: RawSocket, _ events: Int) throws(Unmet) {
        var base = 0
        let code = unsafe portloop_win32_poll_base_socket(socket.handle, &base)
        if code != 0 { throw .failed("the base socket: error \(code)") }
        var poll = portloop_win32_poll()
        poll.timeout = .max
        poll.count = 1
        poll.entry.socket = base
        poll.entry.events = UInt32(events)
        unsafe block.buffer.storeBytes(of: poll, as: portloop_win32_poll.self)
    }

    var answer: portloop_win32_poll { unsafe block.buffer.load(as: portloop_win32_poll.self) }
}
