internal import CLoopWin32
internal import LoopCore
internal import LoopSim

// Datagrams, reads without room, and writes that are whole.
extension Win32ConnectionCases {
    static func datagramConnect(_ bench: Win32Bench) throws(Unmet) {
        let other = Win32.boundSocket(portloop_win32_datagram)
        bench.keep(other)
        let socket = Win32.boundSocket(portloop_win32_datagram)
        let handle = try bench.associate(socket)
        let id = try bench.prepare(handle, address: .one)
        let address = Win32.address(of: other)
        try bench.must("connect") { () throws(OperationError) in try bench.ops.connect(id, to: address) }
        bench.check.expect(try bench.finish(id).completion == Completion(count: 0), "connected")
        _ = try bench.finish(try bench.write(handle, [5]))
        bench.check.expect(Win32.receive(other, max: 8) == [5], "what was sent")
    }

    static func datagramAddresses(_ bench: Win32Bench) throws(Unmet) {
        let (one, two) = (Win32.boundSocket(portloop_win32_datagram), Win32.boundSocket(portloop_win32_datagram))
        let (first, second) = (try bench.associate(one), try bench.associate(two))
        let sending = try bench.prepare(first, holding: [1, 2], address: .one)
        let destination = Win32.address(of: two)
        try bench.must("send") { () throws(OperationError) in try bench.ops.send(sending, count: 2, to: destination) }
        bench.check.expectEqual(try bench.finish(sending).completion.count, 2, "sent")
        let receiving = try bench.prepare(second, capacity: 8, address: .one)
        try bench.must("receive") { () throws(OperationError) in try bench.ops.receive(receiving) }
        try bench.turn(until: "the datagram") { bench.phase(receiving) == .completed }
        let source = Win32.address(of: one)
        let (bytes, address) = try bench.must("result") { () throws(OperationError) in
            let outcome = try bench.ops.result(receiving)
            return (outcome.copyBytes(), outcome.address)
        }
        let found = try bench.check.must("the sender", address)
        bench.check.expect(bytes == [1, 2], "the bytes")
        bench.check.expectEqual(found.length, source.length, "the length of the sender's address")
        bench.check.expect(found.storage[0] == source.storage[0], "the sender")
    }

    static func cancelledReceive(_ bench: Win32Bench) throws(Unmet) {
        let handle = try bench.associate(Win32.boundSocket(portloop_win32_datagram))
        let id = try bench.prepare(handle, capacity: 8, address: .one)
        try bench.must("receive") { () throws(OperationError) in try bench.ops.receive(id) }
        try bench.cancel(id)
        try bench.turn(until: "the packet") { bench.phase(id) == .completed }
        let address = try bench.must("result") { () throws(OperationError) in try bench.ops.result(id).address }
        bench.check.expect(address == nil || address?.length == 0, "no address")
    }

    static func emptyReadOnStreams(_ bench: Win32Bench) throws(Unmet) {
        try readNothing(bench, try bench.tcp()) { Win32.send($0.rawValue, [1, 2]) }
        try readNothing(bench, try bench.pipe()) { Win32.write($0.rawValue, [1, 2]) }
        try readNothing(bench, try bench.pipe(.messages)) { Win32.write($0.rawValue, [1, 2]) }
    }

    static func emptyReadOnMessages(_ bench: Win32Bench) throws(Unmet) {
        try readNothing(bench, try bench.udp()) { Win32.send($0.rawValue, [1, 2]) }
    }

    private static func readNothing(
        _ bench: Win32Bench, _ pair: (handle: AssociatedHandle, ends: StreamEnds), _ feed: (NativeHandle) -> Void
    ) throws(Unmet) {
        let waiting = try bench.read(pair.handle, capacity: 0)
        for _ in 0..<5 { bench.look() }
        bench.check.expect(bench.phase(waiting) == .submitted, "there is nothing to wait for")
        feed(pair.ends.far)
        let found = try bench.finish(waiting).completion
        bench.check.expect(found.severity == .success && found.count == 0 && found.error == .none, "a success of no bytes")
        let again = try bench.finish(try bench.read(pair.handle, capacity: 0)).completion
        bench.check.expect(again.severity == .success && again.count == 0, "at once, while there is something")
        bench.check.expect(try bench.finish(try bench.read(pair.handle)).bytes == [1, 2], "nothing was taken")
    }

    static func gathered(_ bench: Win32Bench) throws(Unmet) {
        let (socket, ends) = try bench.udp()
        try gather(bench, socket)
        bench.check.expect(Win32.receive(ends.far.rawValue, max: 16) == [5, 6, 1, 3, 4], "one datagram")
        let (pipe, pipeEnds) = try bench.pipe(.messages)
        try gather(bench, pipe)
        bench.check.expect(Win32.drainPipe(pipeEnds.far.rawValue, max: 16) == [5, 6, 1, 3, 4], "one message")
    }

    private static func gather(_ bench: Win32Bench, _ handle: AssociatedHandle) throws(Unmet) {
        let id = try bench.prepare(handle, holding: [1, 2, 3, 4, 5, 6])
        try bench.must("write") { () throws(OperationError) in
            try bench.ops.write(id, segments: [4..<6, 0..<1, 2..<2, 2..<4])
        }
        bench.check.expectEqual(try bench.finish(id).completion.count, 5, "the count")
    }

    static func longWrite(_ bench: Win32Bench) throws(Unmet) {
        let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let (socket, ends) = try bench.tcp()
        let sending = try bench.write(socket, bytes)
        var arrived: [UInt8] = []
        try bench.spin(until: "all bytes on the socket") {
            arrived += Win32.receive(ends.far.rawValue, max: 1 << 16) ?? []
            return arrived.count == bytes.count
        }
        bench.check.expectEqual(try bench.finish(sending).completion.count, bytes.count, "written to the socket")
        bench.check.expect(arrived == bytes, "the socket's bytes")

        let (pipe, pipeEnds) = try bench.pipe()
        let writing = try bench.write(pipe, bytes)
        arrived = []
        try bench.spin(until: "all bytes on the pipe") {
            arrived += Win32.drainPipe(pipeEnds.far.rawValue, max: 1 << 16)
            return arrived.count == bytes.count
        }
        bench.check.expectEqual(try bench.finish(writing).completion.count, bytes.count, "written to the pipe")
        bench.check.expect(arrived == bytes, "the pipe's bytes")
    }
}
