internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

/// Connections by name. Threads look names up, and what the system keeps for that stays open: so these count no handles.
enum NameCases {
    static let suite = Suite(
        "SocketOps: names",
        [
            Case("a connection by the name of this machine") { check throws(Unmet) in try run(check, known) },
            Case("a name that nobody has is said") { check throws(Unmet) in try run(check, unknown) },
        ])

    private static func run(
        _ check: Check, _ body: @escaping @Sendable (isolated EventLoop) async throws(Unmet) -> Void
    ) throws(Unmet) {
        let bench = try Win32Bench(check)
        try bench.run { loop throws(Unmet) in try await body(loop) }
        bench.end()
    }

    private static func known(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try loop.listener()
        let near = try await must("connect") { () async throws(SocketError) in
            try await TCPStream.connect("localhost", listener.port, on: loop, timeout: ample)
        }
        let far = try await loop.accept(from: listener)
        try await far.put("x")
        try await near.expect("x")
        await near.close()
        await far.close()
        await listener.close()
    }

    private static func unknown(_ loop: isolated EventLoop) async throws(Unmet) {
        let found = await result { () async throws(SocketError) in
            try await TCPStream.connect("no-such-name.invalid", 80, on: loop, timeout: ample)
        }
        switch found {
        // Without a network the system may not be able to ask.
        case .failure(.name(.nameNotFound)), .failure(.name(.temporaryFailure)), .failure(.name(.noAddress)): return
        case .failure(let error): throw .failed(error.description)
        case .success: throw .failed("it was found")
        }
    }
}
