internal import CLoopWin32
internal import LoopCore
internal import LoopSim

/// What is refused with a name instead of hanging later, and what a number stands for.
enum Win32AssociationCases {
    static var suite: Suite {
        Suite(
            "the Windows port: handles",
            on: [
                Win32Case("a file, a pipe and a socket that are not overlapped are refused as such", synchronous),
                Win32Case("a directory that is not overlapped is refused as such, and one that is can be associated", directories),
                Win32Case("a handle of another completion port is refused as bound elsewhere", foreign),
                Win32Case("a handle of another loop is refused as bound elsewhere, also after that loop has retired it", otherLoop),
                Win32Case("a handle of this loop is refused as associated already", twice),
                Win32Case("a handle that saves the packet of immediate success is refused as such", skipping),
                Win32Case("a console is refused as such", console),
                Win32Case("an event and a number that nobody has are refused as bad handles", bad),
                Win32Case("a number that was bound here and is a stranger's object of another kind now is bound elsewhere", recycled),
                Win32Case("a handle that was retired does everything again", again),
                Win32Case("a number that was closed without a word and is another object now is associated anew", replaced),
            ])
    }

    private static func synchronous(_ bench: Win32Bench) throws(Unmet) {
        bench.expectRefusal(.notOverlapped, "a file", bench.keep(Win32.temporaryFile(flags: 0)))
        let ends = bench.keep(Win32.pipePair(near: .server))
        bench.expectRefusal(.notOverlapped, "the client's end of a pipe", ends.far)
        var socket = -1
        // SAFETY: the shim writes the socket before it says zero.
        try bench.check.must("a socket", unsafe portloop_win32_socket_open_synchronous(2, 1, 0, &socket))
        bench.expectRefusal(.notOverlapped, "a socket", bench.keep(socket))
        // SAFETY: as above.
        var (readEnd, writeEnd) = (-1, -1)
        try bench.check.must("an anonymous pipe", unsafe portloop_win32_pipe_anonymous(&readEnd, &writeEnd))
        bench.expectRefusal(.notOverlapped, "an anonymous pipe", bench.keep(readEnd))
        bench.keep(writeEnd)
    }

    private static func directories(_ bench: Win32Bench) throws(Unmet) {
        let path = Win32.wide(Win32.temporaryFolder)
        let backupSemantics: UInt32 = 0x0200_0000
        let wrong = Win32.open(path, access: 1, disposition: Win32.openExisting, flags: backupSemantics)
        bench.expectRefusal(.notOverlapped, "a directory", bench.keep(wrong))
        let right = Win32.open(path, access: 1, disposition: Win32.openExisting, flags: backupSemantics | Win32.overlappedFlag)
        try bench.retire(try bench.associate(right))
    }

    private static func foreign(_ bench: Win32Bench) throws(Unmet) {
        let stranger = try RawPort()
        let ends = bench.keep(Win32.tcpPair())
        try stranger.associate(ends.near.rawValue, key: 1)
        bench.expectRefusal(.boundElsewhere, "a socket", ends.near)
        let file = bench.keep(Win32.temporaryFile())
        try stranger.associate(file.rawValue, key: 2)
        bench.expectRefusal(.boundElsewhere, "a file", file)
        bench.check.expectEqual(bench.ops.metrics.handles, 0, "associations")
    }

    private static func otherLoop(_ bench: Win32Bench) throws(Unmet) {
        let other = try Win32Bench(bench.check)
        let ends = bench.keep(Win32.tcpPair())
        let handle = try other.associate(ends.near)
        bench.expectRefusal(.boundElsewhere, "a socket", ends.near)
        try other.retire(handle)
        bench.expectRefusal(.boundElsewhere, "a retired socket", ends.near)
        other.end()
    }

    private static func twice(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        bench.expectRefusal(.alreadyAssociated, "a socket", ends.near)
        let id = try bench.read(handle)
        Win32.send(ends.far.rawValue, [1])
        bench.check.expect(try bench.finish(id).bytes == [1], "the first association is not concerned")
    }

    private static func skipping(_ bench: Win32Bench) throws(Unmet) {
        let ends = bench.keep(Win32.tcpPair())
        let mode = UInt32(portloop_win32_skip_port_on_success)
        try bench.check.must("the mode", portloop_win32_set_completion_modes(ends.near.rawValue, mode))
        bench.expectRefusal(.skipsPackets, "a socket", ends.near)
    }

    private static func console(_ bench: Win32Bench) throws(Unmet) {
        let path = Win32.wide("CONIN$")
        var handle = -1
        // SAFETY: the shim writes the handle before it says zero.
        let code = unsafe portloop_win32_file_open(path, Win32.readWrite, 7, nil, Win32.openExisting, 0, 0, &handle)
        guard code == 0 else { throw .notApplicable("a console: error \(code)") }
        bench.expectRefusal(.console, "the console", bench.keep(handle))
    }

    private static func bad(_ bench: Win32Bench) throws(Unmet) {
        bench.expectRefusal(.badHandle, "an event", bench.keep(Win32.event()))
        for number in [0x7FF0, 0, -1, 3] { bench.expectRefusal(.badHandle, "number \(number)", NativeHandle(rawValue: number)) }
    }

    private static func recycled(_ bench: Win32Bench) throws(Unmet) {
        let file = NativeHandle(rawValue: Win32.temporaryFile())
        try bench.retire(try bench.associate(file))
        Win32.close(file)
        let socket = NativeHandle(rawValue: Win32.socket(portloop_win32_stream))
        bench.keep(socket.rawValue)
        guard socket == file else { throw .notApplicable("a kernel that recycles handle numbers at once") }
        let stranger = try RawPort()
        try stranger.associate(socket.rawValue, key: 1)
        bench.expectRefusal(.boundElsewhere, "the stranger's socket", socket)
    }

    private static func again(_ bench: Win32Bench) throws(Unmet) {
        let ends = bench.keep(Win32.tcpPair())
        for round in 0..<5 {
            let handle = try bench.associate(ends.near)
            let (reading, polling) = (try bench.read(handle, capacity: 1), try bench.poll(handle, .writable))
            Win32.send(ends.far.rawValue, [UInt8(round)])
            bench.check.expect(try bench.finish(reading).bytes == [UInt8(round)], "the byte of round \(round)")
            bench.check.expectEqual(try bench.finish(polling).completion.count, Int(Readiness.writable.rawValue), "room to write")
            try bench.retire(handle)
        }
    }

    private static func replaced(_ bench: Win32Bench) throws(Unmet) {
        let first = Win32.udpPair()
        let old = try bench.associate(first.near)
        let waiting = try bench.poll(old, .readable)
        Win32.close(first.near)
        Win32.close(first.far)
        let second = bench.keep(Win32.udpPair())
        guard second.near == first.near else { throw .notApplicable("a kernel that recycles handle numbers at once") }
        let new = try bench.associate(second.near)
        Win32.send(second.far.rawValue, [7])
        bench.check.expect(try bench.finish(try bench.read(new)).bytes == [7], "the new handle's bytes go to the new handle")
        let ended = try bench.finish(waiting).completion
        bench.check.expect(ended.severity != .success, "who waited on the old handle is told")
        try bench.retire(old)
        bench.check.expect(bench.ops.isAssociated(new), "retiring the old association is none of the new one's business")
        try bench.retire(new)
    }
}
