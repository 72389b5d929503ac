import Portloop
import Rfc2217
import SocketOps

/// A client from the first byte to the last.
func serve<Stream: ByteStream>(_ stream: Stream, on bridge: Bridge) async {
    let client = await bridge.enter(stream)
    // The client is gone, or the program ends.
    do throws(Stream.Failure) { try await listen(to: stream, as: client, on: bridge) } catch {}
    await bridge.leave(client)
    await client.writer.value
}

/// Sends on what the client says to the device, and does what it says to the bridge.
func listen<Stream: ByteStream>(to stream: Stream, as client: Client, on bridge: Bridge) async throws(Stream.Failure) {
    var (parser, options) = (TelnetParser(), TelnetOptions())
    let binary = [Telnet.binary, Telnet.suppressGoAhead]
    try await stream.write(options.ask(ours: binary + [Telnet.echo], theirs: binary), timeout: .seconds(30))
    while true {
        // Little at a time, so that several who send to a slow device take turns.
        let bytes = try await stream.read(max: 512)
        if bytes.isEmpty { return }
        for event in parser.parse(bytes) {
            var answer: [UInt8] = []
            switch event {
            case .data(let data):
                guard await bridge.send(data) else { return }
            case .option(let verb, let option):
                let before = options.isComPort
                answer = options.hear(verb, option)
                if options.isComPort != before { answer += await bridge.setComPort(options.isComPort, client) }
            case .subnegotiation(Telnet.comPort, let payload):
                guard let message = ComPortMessage(payload, from: .client) else { continue }
                answer = await bridge.answer(message, of: client)?.encoded(from: .server) ?? []
            case .subnegotiation, .command:
                // Nothing that a port could do.
                continue
            }
            if !answer.isEmpty { try await stream.write(answer, timeout: .seconds(30)) }
        }
    }
}
