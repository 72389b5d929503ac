internal import CLoopWin32

/// Named pipes.
enum PipeCases {
    static let suite = Suite(
        "pipes",
        [
            Case("a wait for a client ends when one comes") { check throws(Unmet) in
                let (port, pipe, waiting) = (try RawPort(), try RawPipe(), Block())
                try port.associate(pipe.server.handle, key: 1)
                check.expectEqual(pipe.connect(waiting), Windows.pending, "connect")
                check.expect(port.isEmpty, "nobody is there")
                let client = try pipe.makeClient()
                try port.next("the client", of: waiting)
                check.expectEqual(waiting.status, 0, "the status")
                withExtendedLifetime(client) {}
            },
            Case("a client that is there already is code 535, and no packet") { check throws(Unmet) in
                let (port, pipe) = (try RawPort(), try RawPipe())
                try port.associate(pipe.server.handle, key: 1)
                let client = try pipe.makeClient()
                check.expectEqual(pipe.connect(Block()), UInt32(portloop_win32_pipe_connected), "connect")
                check.expect(port.isEmpty, "no packet")
                withExtendedLifetime(client) {}
            },
            Case("a client that has come and gone is code 232, and no packet, until the server has parted with it") { check throws(Unmet) in
                let (port, pipe, waiting) = (try RawPort(), try RawPipe(), Block())
                try port.associate(pipe.server.handle, key: 1)
                do {
                    let gone = try pipe.makeClient()
                    withExtendedLifetime(gone) {}
                }
                check.expectEqual(pipe.connect(Block()), 232, "connect")
                check.expect(port.isEmpty, "no packet")
                try check.must("disconnect", portloop_win32_pipe_disconnect(pipe.server.handle))
                check.expectEqual(pipe.connect(waiting), Windows.pending, "connect again")
                let client = try pipe.makeClient()
                try port.next("the client", of: waiting)
                withExtendedLifetime(client) {}
            },
            Case("bytes go both ways, one packet an operation") { check throws(Unmet) in
                let (port, pipe) = (try RawPort(), try RawPipe())
                let client = try pipe.makeClient()
                try port.associate(pipe.server.handle, key: 1)
                try port.associate(client.handle, key: 2)
                for (from, to) in [(pipe.server, client), (client, pipe.server)] {
                    let (reading, writing) = (Block(), Block(holding: [5, 6, 7]))
                    check.expectEqual(to.read(reading), Windows.pending, "a read of an empty pipe")
                    try check.owes("write", from.write(writing))
                    var counts: [UInt: UInt32] = [:]
                    for _ in 0..<2 {
                        let packet = try port.next("a read and a write")
                        counts[packet.block] = packet.bytes
                    }
                    check.expectEqual(counts[reading.address] ?? 0, 3, "bytes read")
                    check.expectEqual(counts[writing.address] ?? 0, 3, "bytes written")
                    check.expect(reading.bytes(3) == [5, 6, 7], "the bytes")
                }
            },
            Case("a message that does not fit is code 234, or pending, and a packet") { check throws(Unmet) in
                let (port, pipe) = (try RawPort(), try RawPipe(mode: Windows.pipeMessages))
                let client = try pipe.makeClient()
                try port.associate(pipe.server.handle, key: 1)
                let writing = Block(holding: [1, 2, 3, 4, 5])
                try port.associate(client.handle, key: 2)
                try check.owes("write", client.write(writing))
                try port.next("the write", of: writing)
                var (all, message) = (UInt32(0), UInt32(0))
                try check.must("peek", unsafe portloop_win32_pipe_peek(pipe.server.handle, &all, &message))
                check.expectEqual(message, 5, "the message")
                let reading = Block(bytes: 2)
                let code = pipe.server.read(reading)
                check.expect(code == UInt32(portloop_win32_more_data) || code == Windows.pending, "the code is \(code)")
                check.expectEqual(try port.next("the read", of: reading), 2, "bytes read")
                check.expectEqual(portloop_win32_error_of_status(reading.status), UInt32(portloop_win32_more_data), "the status")
                let rest = Block()
                try check.owes("read", pipe.server.read(rest))
                check.expectEqual(try port.next("the rest", of: rest), 3, "the rest")
                check.expect(port.isEmpty, "and nothing else")
            },
            Case("a cancelled read has one packet, with status 0xC0000120") { check throws(Unmet) in
                let (port, pipe) = (try RawPort(), try RawPipe())
                let client = try pipe.makeClient()
                try port.associate(pipe.server.handle, key: 1)
                let (first, second) = (Block(), Block())
                check.expectEqual(pipe.server.read(first), Windows.pending, "a read")
                check.expectEqual(pipe.server.read(second), Windows.pending, "another")
                try check.must("cancel", unsafe portloop_win32_cancel(pipe.server.handle, first.overlapped))
                check.expectEqual(try port.next("the cancelled read", of: first), 0, "bytes read")
                check.expectEqual(first.status, Windows.statusCancelled, "the status")
                check.expect(port.isEmpty, "the other one goes on")
                let again = unsafe portloop_win32_cancel(pipe.server.handle, first.overlapped)
                check.expectEqual(again, UInt32(portloop_win32_not_found), "there is nothing left to cancel")
                try check.must("cancel all", portloop_win32_cancel(pipe.server.handle, nil))
                try port.next("the other read", of: second)
                check.expectEqual(second.status, Windows.statusCancelled, "its status")
                withExtendedLifetime(client) {}
            },
            Case("a read of a pipe whose other end is closed ends with code 109") { check throws(Unmet) in
                let (port, pipe, reading) = (try RawPort(), try RawPipe(), Block())
                try port.associate(pipe.server.handle, key: 1)
                do {
                    let client = try pipe.makeClient()
                    check.expectEqual(pipe.server.read(reading), Windows.pending, "a read")
                    withExtendedLifetime(client) {}
                }
                try port.next("the read", of: reading)
                check.expectEqual(portloop_win32_error_of_status(reading.status), UInt32(portloop_win32_broken_pipe), "the code")
                check.expectEqual(pipe.server.read(Block()), UInt32(portloop_win32_broken_pipe), "and the next read's")
                try check.must("disconnect", portloop_win32_pipe_disconnect(pipe.server.handle))
            },
            Case("a client reads messages once it has asked to, and bytes before") { check throws(Unmet) in
                let (port, pipe) = (try RawPort(), try RawPipe(mode: Windows.pipeMessages))
                check.expectEqual(unsafe portloop_win32_pipe_wait(pipe.name.wide, 1000), 0, "waiting for a free instance")
                let client = try pipe.makeClient()
                try port.associate(client.handle, key: 2)
                try port.associate(pipe.server.handle, key: 1)
                for (number, mode, count) in [(1, UInt32(0), 4), (2, UInt32(2), 2)] {
                    try check.must("the read mode", portloop_win32_pipe_set_state(client.handle, mode))
                    for _ in 0..<2 {
                        let writing = Block(holding: [1, 2])
                        try check.owes("write", pipe.server.write(writing))
                        try port.next("a write", of: writing)
                    }
                    let reading = Block()
                    try check.owes("read", client.read(reading))
                    check.expectEqual(try port.next("a read", of: reading), count, "bytes of two messages, mode \(number)")
                }
            },
            Case("nobody waits for a pipe that is not there") { check throws(Unmet) in
                check.expectEqual(unsafe portloop_win32_pipe_wait(Scratch.pipe.wide, 10), 2, "the code")
            },
            Case("the result of a pending operation is code 996") { check throws(Unmet) in
                let (port, pipe, reading) = (try RawPort(), try RawPipe(), Block())
                let client = try pipe.makeClient()
                try port.associate(pipe.server.handle, key: 1)
                check.expectEqual(pipe.server.read(reading), Windows.pending, "a read")
                var bytes: UInt32 = 0
                let code = unsafe portloop_win32_overlapped_result(pipe.server.handle, reading.overlapped, &bytes)
                check.expectEqual(code, UInt32(portloop_win32_io_incomplete), "the result")
                try check.must("cancel", portloop_win32_cancel(pipe.server.handle, nil))
                try port.next("the read", of: reading)
                let ended = unsafe portloop_win32_overlapped_result(pipe.server.handle, reading.overlapped, &bytes)
                check.expectEqual(ended, UInt32(portloop_win32_operation_aborted), "the result afterwards")
                withExtendedLifetime(client) {}
            },
        ])
}
