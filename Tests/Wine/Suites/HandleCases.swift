internal import CLoopWin32

/// What a handle tells of itself.
enum HandleCases {
    static let suite = Suite(
        "handles",
        [
            Case("a file's type is a disk's, a pipe's and a socket's is a pipe's") { check throws(Unmet) in
                let file = try RawHandle.open(try Scratch.path(), Windows.genericWrite, Windows.createAlways)
                check.expectEqual(try type(of: file.handle), UInt32(portloop_win32_type_disk), "a file")
                let pipe = try RawPipe()
                check.expectEqual(try type(of: pipe.server.handle), UInt32(portloop_win32_type_pipe), "a pipe")
                let socket = try RawSocket(.tcp)
                check.expectEqual(try type(of: socket.handle), UInt32(portloop_win32_type_pipe), "a socket")
                var found: UInt32 = 0
                check.expectEqual(unsafe portloop_win32_file_type(0x7FF0, &found), 6, "nothing")
            },
            Case("a handle opened without FILE_FLAG_OVERLAPPED says so") { check throws(Unmet) in
                let path = try Scratch.path()
                let file = try RawHandle.open(path, Windows.genericWrite, Windows.createAlways)
                check.expect(try !isSynchronous(file.handle), "an overlapped file")
                let plain = try RawHandle.open(path, Windows.genericRead, Windows.openExisting, 0)
                check.expect(try isSynchronous(plain.handle), "a synchronous file")
                var (readEnd, writeEnd) = (0, 0)
                try check.must("a pipe", unsafe portloop_win32_pipe_anonymous(&readEnd, &writeEnd))
                let ends = (RawHandle(readEnd), RawHandle(writeEnd))
                check.expect(try isSynchronous(ends.0.handle), "an anonymous pipe, reading")
                check.expect(try isSynchronous(ends.1.handle), "an anonymous pipe, writing")
                let pipe = try RawPipe()
                check.expect(try !isSynchronous(pipe.server.handle), "an overlapped pipe")
            },
            Case("associating says 87 for a synchronous handle, and for one that is bound") { check throws(Unmet) in
                let (port, other) = (try RawPort(), try RawPort())
                let path = try Scratch.path()
                let file = try RawHandle.open(path, Windows.genericWrite, Windows.createAlways)
                let plain = try RawHandle.open(path, Windows.genericRead, Windows.openExisting, 0)
                let refused = UInt32(portloop_win32_invalid_parameter)
                check.expectEqual(portloop_win32_port_associate(port.handle, plain.handle, 1), refused, "synchronous")
                try port.associate(file.handle, key: 1)
                check.expectEqual(portloop_win32_port_associate(port.handle, file.handle, 1), refused, "bound to this port")
                check.expectEqual(portloop_win32_port_associate(other.handle, file.handle, 1), refused, "bound to another")
                check.expectEqual(portloop_win32_port_associate(port.handle, 0x7FF0, 1), 6, "nothing")
            },
            Case("completion modes are read as somebody set them") { check throws(Unmet) in
                let socket = try RawSocket(.tcp)
                check.expectEqual(try modes(socket.handle) & 3, 0, "at first")
                let skip = UInt32(portloop_win32_skip_port_on_success)
                try check.must("set", portloop_win32_set_completion_modes(socket.handle, skip))
                check.expectEqual(try modes(socket.handle) & skip, skip, "afterwards")
            },
            Case("a directory is told from a file") { check throws(Unmet) in
                let folder = try Scratch.folder()
                let directory = try RawHandle.open(
                    folder, Windows.listDirectory, Windows.openExisting, Windows.overlapped | Windows.backupSemantics)
                let file = try RawHandle.open(try Scratch.path(), Windows.genericWrite, Windows.createAlways)
                var answer: Int32 = 0
                try check.must("asking", unsafe portloop_win32_is_directory(directory.handle, &answer))
                check.expectEqual(answer, 1, "a directory")
                try check.must("asking", unsafe portloop_win32_is_directory(file.handle, &answer))
                check.expectEqual(answer, 0, "a file")
            },
            Case("a socket tells its family, type and protocol, and a file that it is none") { check throws(Unmet) in
                var facts = portloop_win32_socket_facts()
                let (tcp, udp) = (try RawSocket(.tcp), try RawSocket(.udp))
                try check.must("TCP", unsafe portloop_win32_socket_look(tcp.handle, &facts))
                check.expectEqual(facts.family, Int32(portloop_win32_inet), "the family")
                check.expectEqual(facts.type, Int32(portloop_win32_stream), "the type")
                check.expectEqual(facts.protocol, Int32(portloop_win32_tcp), "the protocol")
                check.expectEqual(facts.is_listening, 0, "not listening")
                check.expect(facts.provider != 0, "a provider")
                try check.must("UDP", unsafe portloop_win32_socket_look(udp.handle, &facts))
                check.expectEqual(facts.type, Int32(portloop_win32_datagram), "the type")
                check.expectEqual(facts.protocol, Int32(portloop_win32_udp), "the protocol")
                try tcp.listen()
                try check.must("a listener", unsafe portloop_win32_socket_look(tcp.handle, &facts))
                check.expectEqual(facts.is_listening, 1, "listening")
                let file = try RawHandle.open(try Scratch.path(), Windows.genericWrite, Windows.createAlways)
                let code = unsafe portloop_win32_socket_look(file.handle, &facts)
                check.expectEqual(code, UInt32(portloop_win32_not_socket), "a file")
            },
            Case("a console is a character device with a mode of its own, and synchronous") { check throws(Unmet) in
                var mode: UInt32 = 0
                for name in ["CONIN$", "CONOUT$"] {
                    let console: RawHandle
                    do throws(Unmet) {
                        console = try RawHandle.open(name, Windows.genericRead | Windows.genericWrite, Windows.openExisting, 0)
                    } catch { throw .notApplicable("a system with pseudo-consoles") }
                    check.expectEqual(unsafe portloop_win32_console_mode(console.handle, &mode), 0, "\(name) has a mode")
                    check.expectEqual(try type(of: console.handle), UInt32(portloop_win32_type_character), "\(name)")
                    check.expectEqual(portloop_win32_port_associate(try RawPort().handle, console.handle, 1), 87, "\(name)")
                }
            },
            Case("a file is no console") { check throws(Unmet) in
                let file = try RawHandle.open(try Scratch.path(), Windows.genericWrite, Windows.createAlways)
                var mode: UInt32 = 0
                check.expect(unsafe portloop_win32_console_mode(file.handle, &mode) != 0, "it has no console mode")
            },
            Case("what is opened is not inherited") { check throws(Unmet) in
                var flags: UInt32 = 0
                let (port, pipe, socket) = (try RawPort(), try RawPipe(), try RawSocket(.tcp))
                let file = try RawHandle.open(try Scratch.path(), Windows.genericWrite, Windows.createAlways)
                for handle in [port.handle, pipe.server.handle, socket.handle, file.handle] {
                    try check.must("its flags", unsafe portloop_win32_handle_flags(handle, &flags))
                    check.expectEqual(flags & 1, 0, "HANDLE_FLAG_INHERIT")
                }
                check.expectEqual(unsafe portloop_win32_handle_flags(0x7FF0, &flags), 6, "nothing")
            },
            Case("handles are counted until they are closed") { check throws(Unmet) in
                var (before, after) = (UInt32(0), UInt32(0))
                try check.must("the count", unsafe portloop_win32_handle_count(&before))
                if before == 0 { throw .notApplicable("a system that counts handles") }
                do {
                    let ports = (try RawPort(), try RawPort())
                    try check.must("the count", unsafe portloop_win32_handle_count(&after))
                    check.expectEqual(after, before + 2, "handles meanwhile")
                    withExtendedLifetime(ports) {}
                }
                try check.must("the count", unsafe portloop_win32_handle_count(&after))
                check.expectEqual(after, before, "handles afterwards")
            },
            Case("a handle is unbound where the system can") { check throws(Unmet) in
                let (port, other, socket) = (try RawPort(), try RawPort(), try RawSocket(.tcp))
                try port.associate(socket.handle, key: 1)
                let code = portloop_win32_port_dissociate(socket.handle)
                if code != 0 {
                    check.expectEqual(portloop_win32_port_associate(other.handle, socket.handle, 2), 87, "it stays bound")
                    throw .notApplicable("a system that unbinds handles: error \(code)")
                }
                try other.associate(socket.handle, key: 2)
            },
            Case("a second handle is of the same object") { check throws(Unmet) in
                let port = try RawPort()
                var copy = 0
                try check.must("duplicate", unsafe portloop_win32_duplicate(port.handle, &copy))
                let other = RawHandle(copy)
                try check.must("post", portloop_win32_port_post(other.handle, 0, 5, nil))
                check.expectEqual(try port.next("a post by the copy").key, 5, "the key")
            },
        ])

    private static func type(of handle: Int) throws(Unmet) -> UInt32 {
        var type: UInt32 = 0
        let code = unsafe portloop_win32_file_type(handle, &type)
        if code != 0 { throw .failed("the type: error \(code)") }
        return type
    }

    private static func isSynchronous(_ handle: Int) throws(Unmet) -> Bool {
        var mode: UInt32 = 0
        let code = unsafe portloop_win32_file_mode(handle, &mode)
        if code != 0 { throw .failed("the mode: error \(code)") }
        return mode & UInt32(portloop_win32_mode_synchronous) != 0
    }

    private static func modes(_ handle: Int) throws(Unmet) -> UInt32 {
        var modes: UInt32 = 0
        let code = unsafe portloop_win32_completion_modes(handle, &modes)
        if code != 0 { throw .failed("the completion modes: error \(code)") }
        return modes
    }
}
