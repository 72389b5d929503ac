internal import CLoopWin32
internal import LoopCore
internal import LoopSim

/// Accept and connect, datagrams with addresses, reads without room.
enum Win32ConnectionCases {
    static var suite: Suite {
        Suite(
            "the Windows port: connections",
            on: [
                Win32Case("an accept and a connect meet, and the accepted socket is an ordinary one", meet),
                Win32Case("an accept says who has come, and a connect binds a socket that has no address", addresses),
                Win32Case("many accepts stand at a time, and each gets one connection", standing),
                Win32Case("an accept that is cancelled leaves no socket open", cancelledAccept),
                Win32Case("an accept whose listener is closed ends, and leaves no socket open", closedListener),
                Win32Case("a connection that nobody takes is closed with the loop", untaken),
                Win32Case("a peer that resets before it is accepted does not fail the accept", resetBeforeAccept),
                Win32Case("a connect to nobody is refused with Winsock's code", refusedConnect),
                Win32Case("a connect without an address is refused, and so are verbs of sockets on a pipe", wrongVerbs),
                Win32Case("a datagram socket is connected at once", datagramConnect),
                Win32Case("datagrams go to the address they are sent to, and say whence they come", datagramAddresses),
                Win32Case("a receive that is cancelled has no address", cancelledReceive),
                Win32Case("a read without room waits for bytes and takes none, on streams", emptyReadOnStreams),
                Win32Case("a read without room waits for a message and takes none", emptyReadOnMessages),
                Win32Case("ranges of one buffer are one write on a socket, one message on a pipe of messages", gathered),
                Win32Case("a long write is whole, on a non-blocking socket and on a pipe", longWrite),
            ])
    }

    private static func accept(_ bench: Win32Bench, _ listener: AssociatedHandle) throws(Unmet) -> OperationID {
        let id = try bench.prepare(listener, address: .one)
        try bench.must("accept") { () throws(OperationError) in try bench.ops.accept(id) }
        return id
    }

    private static func connect(_ bench: Win32Bench, _ handle: AssociatedHandle, to socket: Int) throws(Unmet) -> OperationID {
        let id = try bench.prepare(handle, address: .one)
        let address = Win32.address(of: socket)
        try bench.must("connect") { () throws(OperationError) in try bench.ops.connect(id, to: address) }
        return id
    }

    private static func meet(_ bench: Win32Bench) throws(Unmet) {
        let (listener, client) = (Win32.listener(), Win32.socket(portloop_win32_stream))
        let (listening, connecting) = (try bench.associate(listener), try bench.associate(client))
        let accepting = try accept(bench, listening)
        let connected = try bench.finish(try connect(bench, connecting, to: listener)).completion
        bench.check.expect(connected == Completion(count: 0), "connected")
        let accepted = try bench.finish(accepting).completion
        bench.check.expect(accepted.severity == .success && accepted.acquired != .invalid, "accepted")
        let peer = try bench.associate(accepted.acquired.rawValue)
        let reading = try bench.read(peer)
        _ = try bench.finish(try bench.write(connecting, [1, 2, 3]))
        bench.check.expect(try bench.finish(reading).bytes == [1, 2, 3], "the accepted socket reads")
        bench.check.expect(Win32.receive(accepted.acquired.rawValue, max: 1) == nil, "and its calls without a control block do not block")
        // SO_UPDATE_CONNECT_CONTEXT and SO_UPDATE_ACCEPT_CONTEXT: without them these fail with 10057.
        for socket in [client, accepted.acquired.rawValue] {
            try bench.check.must("shutdown", portloop_win32_socket_shutdown(socket, 1))
        }
        bench.check.expectEqual(try bench.finish(try bench.read(peer)).completion.count, 0, "the end")
    }

    private static func addresses(_ bench: Win32Bench) throws(Unmet) {
        let (listener, client) = (Win32.listener(), Win32.socket(portloop_win32_stream))
        let (listening, connecting) = (try bench.associate(listener), try bench.associate(client))
        let accepting = try accept(bench, listening)
        _ = try bench.finish(try connect(bench, connecting, to: listener))
        try bench.turn(until: "the accept") { bench.phase(accepting) == .completed }
        let own = Win32.address(of: client)
        let found = try bench.must("result") { () throws(OperationError) in
            let outcome = try bench.ops.result(accepting)
            bench.keep(outcome.completion.acquired.rawValue)
            return outcome.address
        }
        let peer = try bench.check.must("the peer's address", found)
        bench.check.expectEqual(peer.length, own.length, "its length")
        bench.check.expect(peer.storage[0] == own.storage[0], "family, port and address")
    }

    private static func standing(_ bench: Win32Bench) throws(Unmet) {
        let listener = Win32.listener()
        let listening = try bench.associate(listener)
        var accepts: [OperationID] = []
        for _ in 0..<8 { accepts.append(try accept(bench, listening)) }
        for byte in 0..<8 {
            let client = Win32.socket(portloop_win32_stream)
            bench.keep(client)
            Win32.connect(client, to: listener)
            Win32.send(client, [UInt8(byte)])
        }
        var bytes: [UInt8] = []
        for id in accepts {
            let socket = try bench.finish(id).completion.acquired
            bytes += try bench.finish(try bench.read(try bench.associate(socket.rawValue))).bytes
        }
        bench.check.expect(bytes.sorted() == [0, 1, 2, 3, 4, 5, 6, 7], "one byte of each")
    }

    private static func cancelledAccept(_ bench: Win32Bench) throws(Unmet) {
        let listening = try bench.associate(Win32.listener())
        var before = 0
        for round in 0..<10 {
            // The first round is the port's, which may open what it needs for every wait.
            if round == 1 { before = Win32.openCount }
            let id = try accept(bench, listening)
            try bench.cancel(id)
            let completion = try bench.finish(id).completion
            bench.check.expect(completion.severity == .aborted && completion.acquired == .invalid, "aborted, with no socket")
        }
        bench.check.expectEqual(Win32.openCount, before, "open handles")
    }

    private static func closedListener(_ bench: Win32Bench) throws(Unmet) {
        bench.settle()
        let before = Win32.openCount
        let listener = NativeHandle(rawValue: Win32.listener())
        let listening = try bench.associate(listener)
        let ids = [try accept(bench, listening), try accept(bench, listening)]
        bench.look()
        Win32.close(listener)
        for id in ids {
            let completion = try bench.finish(id, "the packet of a closed listener").completion
            bench.check.expect(completion.severity != .success && completion.acquired == .invalid, "no socket")
        }
        try bench.retire(listening)
        bench.check.expectEqual(Win32.openCount, before, "open handles")
        // One that does not listen is refused by the kernel, or waits until it is asked to end.
        let idle = try bench.associate(Win32.boundSocket(portloop_win32_stream))
        let early = try accept(bench, idle)
        bench.look()
        if bench.phase(early) == .submitted { try bench.cancel(early) }
        bench.check.expect(try bench.finish(early).completion.severity != .success, "nothing to accept from")
    }

    private static func untaken(_ bench: Win32Bench) throws(Unmet) {
        let listener = Win32.listener()
        let listening = try bench.associate(listener)
        let id = try accept(bench, listening)
        let client = Win32.socket(portloop_win32_stream)
        bench.keep(client)
        Win32.connect(client, to: listener)
        try bench.turn(until: "the accept") { bench.phase(id) == .completed }
        // The bench's end looks whether the connection is closed.
        _ = try accept(bench, listening)
    }

    private static func resetBeforeAccept(_ bench: Win32Bench) throws(Unmet) {
        let listener = Win32.listener()
        let listening = try bench.associate(listener)
        let hasty = Win32.socket(portloop_win32_stream)
        Win32.connect(hasty, to: listener)
        _ = portloop_win32_socket_abort(hasty)
        let id = try accept(bench, listening)
        bench.look()
        let client = Win32.socket(portloop_win32_stream)
        bench.keep(client)
        Win32.connect(client, to: listener)
        let completion = try bench.finish(id).completion
        bench.check.expect(completion.severity == .success, "accepted, whoever it was: code \(completion.error.rawValue)")
        bench.keep(completion.acquired.rawValue)
    }

    private static func refusedConnect(_ bench: Win32Bench) throws(Unmet) {
        let nobody = Win32.boundSocket(portloop_win32_stream)
        bench.keep(nobody)
        let handle = try bench.associate(Win32.socket(portloop_win32_stream))
        let completion = try bench.finish(try connect(bench, handle, to: nobody)).completion
        bench.check.expect(completion.severity == .error, "the severity")
        bench.check.expectEqual(completion.error.rawValue, 10061, "the code")
        bench.check.expectEqual(completion.status.rawValue, 0xC000_0236, "the raw status")
    }

    private static func wrongVerbs(_ bench: Win32Bench) throws(Unmet) {
        let socket = try bench.associate(Win32.socket(portloop_win32_stream))
        let unaddressed = try bench.prepare(socket, address: .one)
        bench.expect(10022, "connect") { () throws(OperationError) in try bench.ops.connect(unaddressed, to: SocketAddress()) }
        let (pipe, _) = try bench.pipe()
        let (receiving, accepting) = (try bench.prepare(pipe, capacity: 4), try bench.prepare(pipe))
        bench.expect(10038, "receive") { () throws(OperationError) in try bench.ops.receive(receiving) }
        bench.expect(10038, "accept") { () throws(OperationError) in try bench.ops.accept(accepting) }
    }
}

extension Win32Bench {
    /// The call MUST be refused with this code.
    func expect<R>(_ code: Int32, _ what: String, _ call: () throws(OperationError) -> R) {
        do throws(OperationError) {
            _ = try call()
            check.fail("\(what) was not refused")
        } catch { check.expect(error == .refused(SystemCode(rawValue: code)), "\(what) was refused for another reason: \(error.words)") }
    }
}
