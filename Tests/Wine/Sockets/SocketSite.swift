internal import CLoopWin32
internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

/// The two ends of a TCP connection over the loopback.
struct Ends: Sendable {
    let near: TCPStream
    let far: TCPStream

    func close(isolation: isolated (any Actor)? = #isolation) async {
        await near.close()
        await far.close()
    }
}

/// Long enough for any machine; who waits that long has failed.
let ample = Duration.seconds(20)

/// Some things are Wine's own: each case says where.
var isOnWine: Bool { portloop_win32_is_wine() != 0 }

extension Win32Case {
    /// A case that is a task on the loop, and leaves no socket and no operation.
    static func sockets(
        _ name: String, _ body: @escaping @Sendable (isolated EventLoop) async throws(Unmet) -> Void
    ) -> Win32Case {
        Win32Case(name) { bench throws(Unmet) in
            let before = Win32.openSockets
            try bench.run { loop throws(Unmet) in
                try await body(loop)
                try await loop.wait(until: "everything is closed") {
                    loop.metrics.handles == 0 && loop.metrics.operations.submitted == 0
                }
            }
            bench.check.expectEqual(Win32.openSockets, before, "open sockets after the case")
        }
    }
}

extension EventLoop {
    func listener(_ options: ListenOptions = ListenOptions()) throws(Unmet) -> TCPListener {
        do throws(SocketError) {
            return try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), options, on: self)
        } catch {
            throw .failed("listen: \(error.description)")
        }
    }

    func connect(to listener: TCPListener) async throws(Unmet) -> TCPStream {
        let address = listener.localAddress
        return try await must("connect") { () async throws(SocketError) in
            try await TCPStream.connect(address, on: self, timeout: ample)
        }
    }

    func accept(from listener: TCPListener) async throws(Unmet) -> TCPStream {
        try await must("accept") { () async throws(SocketError) in try await listener.accept(timeout: ample) }
    }

    func connection(_ options: ListenOptions = ListenOptions()) async throws(Unmet) -> Ends {
        let listener = try listener(options)
        let near = try await connect(to: listener)
        let far = try await accept(from: listener)
        await listener.close()
        return Ends(near: near, far: far)
    }

    /// Gives way to everybody else until it holds.
    func wait(until what: String, _ condition: () -> Bool) async throws(Unmet) {
        let bound = now.advanced(by: ample)
        while !condition() {
            guard now < bound else { throw .failed("waited in vain: \(what)") }
            await Task.yield()
        }
    }

    /// Waits until so many operations are with the kernel.
    func wait(untilInFlight count: Int) async throws(Unmet) {
        try await wait(until: "\(count) operations are in flight") { metrics.operations.submitted == count }
    }
}

extension ByteStream where Failure == SocketError {
    /// So many bytes MUST come.
    func take(_ count: Int, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) -> [UInt8] {
        try await must("a read of \(count) bytes") { () async throws(SocketError) in try await readExactly(count, timeout: ample) }
    }

    func expect(_ text: String, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) {
        try demandEqual(try await take(text.utf8.count), Array(text.utf8), "\"\(text)\"")
    }

    /// The other side MUST have ended.
    func expectEnd(isolation: isolated (any Actor)? = #isolation) async throws(Unmet) {
        let bytes = try await must("the end") { () async throws(SocketError) in try await read(timeout: ample) }
        try demand(bytes.isEmpty, "\(bytes.count) bytes behind the end")
    }

    func put(_ bytes: [UInt8], isolation: isolated (any Actor)? = #isolation) async throws(Unmet) {
        try await must("a write") { () async throws(SocketError) in try await write(bytes, timeout: ample) }
    }

    func put(_ text: String, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) { try await put(Array(text.utf8)) }
}

/// Bytes that tell their places.
func numbered(_ count: Int, from place: Int = 0) -> [UInt8] {
    (place..<place + count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}

extension Win32 {
    /// Sockets that this process has open. On Windows itself nobody asks handles that may be anything; there all handles are counted.
    // SAFETY: the shim writes the facts, and the number is only asked about.
    static var openSockets: Int {
        guard isOnWine else { return 0 }
        return stride(from: 4, to: 8_192, by: 4).count { number in
            var facts = portloop_win32_socket_facts()
            return unsafe portloop_win32_socket_look(number, &facts) == 0
        }
    }
}
