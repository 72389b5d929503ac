internal import CLoopWin32

/// Sockets of TCP and UDP.
enum SocketCases {
    static let suite = Suite("sockets", connecting + moving + datagrams)

    private static let connecting = [
        Case("AcceptEx and ConnectEx make a connection, one packet each") { check throws(Unmet) in
            let port = try RawPort()
            let (listener, client, accepted) = (try RawSocket(.tcp), try RawSocket(.tcp), try RawSocket(.tcp))
            try listener.listen()
            try client.bind()
            try port.associate(listener.handle, key: 1)
            try port.associate(client.handle, key: 2)
            let (accepting, connecting) = (Block(bytes: 2 * portloop_win32_accept_address_bytes), Block())
            try check.owes(
                "accept",
                unsafe portloop_win32_socket_accept(
                    listener.handle, accepted.handle, accepting.buffer.baseAddress, accepting.overlapped))
            check.expect(port.isEmpty, "nobody has connected")
            var address = try listener.name()
            try check.owes(
                "connect",
                unsafe portloop_win32_socket_connect(client.handle, &address, RawSocket.addressBytes, connecting.overlapped))
            var blocks: Set<UInt> = []
            for _ in 0..<2 { blocks.insert(try port.next("a connection").block) }
            check.expect(blocks == [accepting.address, connecting.address], "a packet for each")
            var (peer, length) = (portloop_win32_address4(), RawSocket.addressBytes)
            try check.must(
                "the peer",
                unsafe portloop_win32_socket_accepted_peer(listener.handle, accepting.buffer.baseAddress, &peer, &length))
            check.expectEqual(peer.port, try client.name().port, "the peer's port")
            try check.must("finish accept", portloop_win32_socket_finish_accept(accepted.handle, listener.handle))
            try check.must("finish connect", portloop_win32_socket_finish_connect(client.handle))
            check.expectEqual(try accepted.peer().port, try client.name().port, "getpeername after an accept")
            check.expectEqual(try client.peer().port, try listener.name().port, "getpeername after a connect")
            try client.sendNow([1, 2])
            check.expect(try accepted.receiveNow(max: 8) == [1, 2], "bytes")
        },
        Case("a connect that nobody accepts ends with code 10061") { check throws(Unmet) in
            let (port, client, gone, connecting) = (try RawPort(), try RawSocket(.tcp), try RawSocket(.tcp), Block())
            try gone.bind()
            var address = try gone.name()
            try client.bind()
            try port.associate(client.handle, key: 2)
            let code = unsafe portloop_win32_socket_connect(
                client.handle, &address, RawSocket.addressBytes, connecting.overlapped)
            try check.owes("connect", code)
            try port.next("the connect", of: connecting)
            check.expectEqual(client.result(of: connecting).code, 10061, "Winsock's code")
        },
        Case("a cancelled accept has one packet") { check throws(Unmet) in
            let (port, listener, accepted) = (try RawPort(), try RawSocket(.tcp), try RawSocket(.tcp))
            try listener.listen()
            try port.associate(listener.handle, key: 1)
            let accepting = Block(bytes: 2 * portloop_win32_accept_address_bytes)
            try check.owes(
                "accept",
                unsafe portloop_win32_socket_accept(
                    listener.handle, accepted.handle, accepting.buffer.baseAddress, accepting.overlapped))
            try check.must("cancel", unsafe portloop_win32_cancel(listener.handle, accepting.overlapped))
            try port.next("the accept", of: accepting)
            check.expectEqual(listener.result(of: accepting).code, UInt32(portloop_win32_operation_aborted), "Winsock's code")
            check.expect(port.isEmpty, "and nothing else")
        },
        Case("DisconnectEx ends a connection with a packet") { check throws(Unmet) in
            let (port, ends, leaving) = (try RawPort(), try RawSocket.pair(), Block())
            try port.associate(ends.0.handle, key: 1)
            try check.owes("disconnect", unsafe portloop_win32_socket_disconnect(ends.0.handle, 0, leaving.overlapped))
            try port.next("the disconnect", of: leaving)
            check.expect(try ends.1.receiveNow(max: 8).isEmpty, "the peer sees the end")
        },
    ]

    private static let moving = [
        Case("what is sent is received, one packet each") { check throws(Unmet) in
            let (port, ends) = (try RawPort(), try RawSocket.pair())
            try port.associate(ends.0.handle, key: 1)
            try port.associate(ends.1.handle, key: 2)
            let (receiving, sending) = (Block(), Block(holding: [9, 8, 7]))
            check.expectEqual(ends.0.receive(receiving), Windows.pending, "a receive")
            try check.owes("send", ends.1.send(sending))
            var counts: [UInt: UInt32] = [:]
            for _ in 0..<2 {
                let packet = try port.next("a receive and a send")
                counts[packet.block] = packet.bytes
            }
            check.expectEqual(counts[receiving.address] ?? 0, 3, "bytes received")
            check.expectEqual(counts[sending.address] ?? 0, 3, "bytes sent")
            check.expect(receiving.bytes(3) == [9, 8, 7], "the bytes")
        },
        Case("segments are sent in order, as one") { check throws(Unmet) in
            let (port, ends, sending) = (try RawPort(), try RawSocket.pair(), Block(holding: [1, 2, 3, 4, 5, 6]))
            try port.associate(ends.0.handle, key: 1)
            let base = unsafe sending.buffer.baseAddress
            var segments = unsafe [
                portloop_win32_segment(count: 2, base: base.map { unsafe $0 + 4 }),
                portloop_win32_segment(count: 0, base: base), portloop_win32_segment(count: 3, base: base),
            ]
            try check.owes("send", unsafe portloop_win32_socket_send(ends.0.handle, &segments, 3, sending.overlapped))
            check.expectEqual(try port.next("the send", of: sending), 5, "bytes sent")
            check.expect(try ends.1.receiveNow(max: 8) == [5, 6, 1, 2, 3], "the bytes")
        },
        Case("the end of a stream is a packet of no bytes") { check throws(Unmet) in
            let (port, ends, receiving) = (try RawPort(), try RawSocket.pair(), Block())
            try port.associate(ends.0.handle, key: 1)
            check.expectEqual(ends.0.receive(receiving), Windows.pending, "a receive")
            try check.must("shutdown", portloop_win32_socket_shutdown(ends.1.handle, 1))
            check.expectEqual(try port.next("the end", of: receiving), 0, "bytes")
            check.expectEqual(ends.0.result(of: receiving).code, 0, "the code")
        },
        Case("a reset is code 10054 of Winsock") { check throws(Unmet) in
            let (port, receiving) = (try RawPort(), Block())
            let (near, far) = try RawSocket.pair()
            try port.associate(near.handle, key: 1)
            check.expectEqual(near.receive(receiving), Windows.pending, "a receive")
            try check.must("abort", far.abort())
            try port.next("the reset", of: receiving)
            check.expectEqual(near.result(of: receiving).code, UInt32(portloop_win32_connection_reset), "Winsock's code")
        },
        Case("a cancelled receive has one packet, and Winsock's code 995") { check throws(Unmet) in
            let (port, ends, receiving) = (try RawPort(), try RawSocket.pair(), Block())
            try port.associate(ends.0.handle, key: 1)
            check.expectEqual(ends.0.receive(receiving), Windows.pending, "a receive")
            check.expectEqual(ends.0.result(of: receiving).code, UInt32(portloop_win32_io_incomplete), "Winsock's code before")
            try check.must("cancel", unsafe portloop_win32_cancel(ends.0.handle, receiving.overlapped))
            try port.next("the receive", of: receiving)
            check.expectEqual(receiving.status, Windows.statusCancelled, "the status")
            check.expectEqual(ends.0.result(of: receiving).code, UInt32(portloop_win32_operation_aborted), "Winsock's code")
        },
        Case("a socket without the overlapped flag says so") { check throws(Unmet) in
            try check.must("Winsock", portloop_win32_sockets_start())
            var made = 0
            try check.must(
                "a socket",
                unsafe portloop_win32_socket_open_synchronous(
                    Int32(portloop_win32_inet), Int32(portloop_win32_stream), Int32(portloop_win32_tcp), &made))
            let socket = RawSocket(adopting: made)
            var mode: UInt32 = 0
            try check.must("the mode", unsafe portloop_win32_file_mode(socket.handle, &mode))
            check.expect(mode & UInt32(portloop_win32_mode_synchronous) != 0, "the mode is \(mode)")
        },
        Case("options are set and read; a socket that does not block says 10035") { check throws(Unmet) in
            let (near, far) = try RawSocket.pair()
            var (one, length) = (Int32(1), UInt32(4))
            try check.must("set", unsafe portloop_win32_socket_set_option(near.handle, Int32(portloop_win32_tcp), 1, &one, 4))
            one = 0
            try check.must("get", unsafe portloop_win32_socket_option(near.handle, Int32(portloop_win32_tcp), 1, &one, &length))
            check.expect(one != 0, "TCP_NODELAY")
            try check.must("non-blocking", portloop_win32_socket_set_nonblocking(far.handle, 1))
            var (byte, moved) = (UInt8(0), UInt32(0))
            let code = unsafe portloop_win32_socket_receive_now(far.handle, &byte, 1, 0, &moved)
            check.expectEqual(code, UInt32(portloop_win32_would_block), "nothing is there")
        },
    ]

    private static let datagrams = [
        Case("a datagram comes with its sender") { check throws(Unmet) in
            let (port, near, far, receiving, from) = (try RawPort(), try RawSocket(.udp), try RawSocket(.udp), Block(), Sender())
            try near.bind()
            try far.bind()
            try port.associate(near.handle, key: 1)
            check.expectEqual(near.receiveFrom(receiving, from), Windows.pending, "a receive")
            try far.sendTo(near, [1, 2, 3])
            check.expectEqual(try port.next("the datagram", of: receiving), 3, "bytes")
            check.expectEqual(from.port, try far.name().port, "the sender's port")
        },
        Case("one that does not fit is a packet with as much as did, and Winsock's code 10040") { check throws(Unmet) in
            let (port, near, far) = (try RawPort(), try RawSocket(.udp), try RawSocket(.udp))
            let (receiving, from) = (Block(bytes: 2), Sender())
            try near.bind()
            try port.associate(near.handle, key: 1)
            check.expectEqual(near.receiveFrom(receiving, from), Windows.pending, "a receive")
            try far.sendTo(near, [1, 2, 3])
            check.expectEqual(try port.next("the datagram", of: receiving), 2, "bytes")
            check.expectEqual(near.result(of: receiving).code, UInt32(portloop_win32_message_size), "Winsock's code")
            // And when it is there before the call.
            try far.sendTo(near, [4, 5, 6])
            let second = Block(bytes: 2)
            let code = near.receiveFrom(second, from)
            let sizes = [0, Windows.pending, UInt32(portloop_win32_message_size)]
            check.expect(sizes.contains(code), "the code of a call that finds it is \(code)")
            check.expectEqual(try port.next("the second", of: second), 2, "its bytes")
            check.expectEqual(near.result(of: second).code, UInt32(portloop_win32_message_size), "its code")
            check.expect(port.isEmpty, "and nothing else")
        },
        Case("a datagram that nobody took does not fail a later receive, where that is asked for") { check throws(Unmet) in
            let (port, near, far, gone) = (try RawPort(), try RawSocket(.udp), try RawSocket(.udp), try RawSocket(.udp))
            try near.bind()
            try gone.bind()
            try check.must("the option", portloop_win32_socket_tell_udp_resets(near.handle, 0))
            try port.associate(near.handle, key: 1)
            var (address, moved) = (try gone.name(), UInt32(0))
            try check.must("close", gone.close())
            _ = unsafe portloop_win32_socket_send_to_now(near.handle, [1], 1, &address, RawSocket.addressBytes, &moved)
            let (receiving, from) = (Block(), Sender())
            try check.owes("receive", near.receiveFrom(receiving, from))
            try far.sendTo(near, [5])
            check.expectEqual(try port.next("the datagram", of: receiving), 1, "bytes")
            check.expectEqual(near.result(of: receiving).code, 0, "the code")
        },
        Case("a datagram is sent with a packet") { check throws(Unmet) in
            let (port, near, far, sending) = (try RawPort(), try RawSocket(.udp), try RawSocket(.udp), Block(holding: [7]))
            try near.bind()
            try far.bind()
            try port.associate(near.handle, key: 1)
            var address = try far.name()
            var segment = unsafe portloop_win32_segment(count: 1, base: sending.buffer.baseAddress)
            try check.owes(
                "send",
                unsafe portloop_win32_socket_send_to(
                    near.handle, &segment, 1, &address, RawSocket.addressBytes, sending.overlapped))
            check.expectEqual(try port.next("the send", of: sending), 1, "bytes")
            check.expect(try far.receiveNow(max: 8) == [7], "the datagram")
        },
    ]
}

/// Room for a sender that nobody frees.
@safe private final class Sender {
    // SAFETY: never freed.
    let address: UnsafeMutablePointer<portloop_win32_address4>
    let length: UnsafeMutablePointer<Int32>

    init() {
        unsafe address = .allocate(capacity: 1)
        unsafe address.initialize(to: portloop_win32_address4())
        unsafe length = .allocate(capacity: 1)
        unsafe length.initialize(to: Int32(RawSocket.addressBytes))
    }

    var port: UInt16 { unsafe address.pointee.port }
}

extension RawSocket {
    fileprivate func receiveFrom(_ block: Block, _ sender: Sender) -> UInt32 {
        var segment = unsafe portloop_win32_segment(count: block.count, base: block.buffer.baseAddress)
        return unsafe portloop_win32_socket_receive_from(
            handle, &segment, 1, block.flags, sender.address, sender.length, block.overlapped)
    }

    fileprivate func sendTo(_ other: RawSocket, _ bytes: [UInt8]) throws(Unmet) {
        var (address, moved) = (try other.name(), UInt32(0))
        let code = unsafe portloop_win32_socket_send_to_now(
            handle, bytes, UInt32(bytes.count), &address, Self.addressBytes, &moved)
        if code != 0 { throw .failed("sendto: error \(code)") }
    }
}
