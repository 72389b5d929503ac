import Glibc
import LoopCore
import LoopEpoll
import SerialOps

// The other side of what others wrote: scripts/test-interop runs it against pyserial, socat and lrzsz.
//
//    echo PATH        sends back what comes, until a line that says "end"
//    sum PATH         answers "ADD 2 3" with "5", each a line, until "END"
//    flow PATH        sends a megabyte with XON/XOFF, and says on its output when it was held back
//    bridge PATH      standard input to the port, the port to standard output, until either ends

private func play(_ verb: String, _ path: SerialText, _ loop: isolated EventLoop) async throws(SerialError) {
    var settings = SerialSettings()
    if verb == "flow" { settings.flowControl = .xonXoff }
    let port = try await SerialPort.open(path, settings, on: loop)
    say("ready")
    switch verb {
    case "echo": try await echo(port)
    case "sum": try await sum(port)
    case "flow": try await flow(port)
    case "bridge": try await bridge(port, loop)
    default: trap("There is no verb \(verb).")
    }
    if await port.ending == nil { try await port.drain(timeout: .seconds(10)) }
    await port.close()
}

private func echo(_ port: SerialPort) async throws(SerialError) {
    var tail: [UInt8] = []
    let end = Array("\nend\n".utf8)
    while true {
        let bytes = try await port.read(timeout: .seconds(30))
        try await port.write(bytes, timeout: .seconds(30))
        tail = (tail + bytes).suffix(end.count)
        if tail == end { return }
    }
}

private func sum(_ port: SerialPort) async throws(SerialError) {
    while true {
        let line = String(decoding: try await port.readLine(timeout: .seconds(30)), as: UTF8.self)
        let words = line.split(separator: " ")
        if words.first == "END" { return }
        let answer = words.first == "ADD" ? words.dropFirst().reduce(0) { $0 + (Int($1) ?? 0) } : -1
        try await port.write("\(answer)\r\n", timeout: .seconds(30))
    }
}

private func flow(_ port: SerialPort) async throws(SerialError) {
    let block = [UInt8](repeating: 0x55, count: 4_096)
    var left = 256
    var wasHeldBack = false
    while left > 0 {
        do throws(SerialError) {
            try await port.write(block, timeout: .milliseconds(500))
        } catch .timedOut(_, let moved) {
            if !wasHeldBack { say("held back") }
            wasHeldBack = true
            try await port.write(Array(block[moved...]), timeout: .seconds(30))
        } catch {
            throw error
        }
        left -= 1
    }
}

/// Each way in a fiber of its own. The end of the input ends what is sent, the hang-up of the port what is received.
private func bridge(_ port: SerialPort, _ loop: isolated EventLoop) async throws(SerialError) {
    let terminal = Terminal(on: loop)
    let upward = loop.spawn(name: "input to port") { _ async in
        while let bytes = await terminal.read(), !bytes.isEmpty {
            do throws(SerialError) { try await port.write(bytes, timeout: .seconds(30)) } catch { break }
        }
    }
    let downward = loop.spawn(name: "port to output") { _ async in
        while true {
            do throws(SerialError) { await terminal.write(try await port.read()) } catch { break }
        }
    }
    await upward.value
    // What the other side has yet to say after our last word: until it is silent.
    var before: UInt64?
    while before != (await port.statistics.bytesReceived) {
        before = await port.statistics.bytesReceived
        try? await loop.sleep(for: .milliseconds(300))
    }
    await port.close()
    await downward.value
}

/// Standard input and output as operations of the loop.
private actor Terminal: OnLoop {
    nonisolated let loop: EventLoop
    private lazy var operations = loop.operations(for: self)
    private var input: AssociatedHandle?
    private var output: AssociatedHandle?

    init(on loop: EventLoop) { self.loop = loop }

    private func open() {
        guard input == nil else { return }
        input = try? operations.associate(NativeHandle(rawValue: 0), options: .setNonblocking)
        output = try? operations.associate(NativeHandle(rawValue: 1), options: .setNonblocking)
    }

    func read() async -> [UInt8]? {
        open()
        guard let input else { return nil }
        return try? await operations.perform(on: input, capacity: 4_096) { op in op.read() }.copyBytes()
    }

    func write(_ bytes: [UInt8]) async {
        open()
        guard let output else { return }
        // SAFETY: both are as many bytes as the array has.
        _ = try? await operations.perform(on: output, capacity: bytes.count) { op in
            op.withBuffer { buffer in unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) } }
            return op.write(count: bytes.count)
        }
    }
}

/// A line on the standard error output: the standard output may be data.
private func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    // SAFETY: the call reads as many bytes as the array has.
    unsafe bytes.withUnsafeBytes { _ = unsafe Glibc.write(2, $0.baseAddress, $0.count) }
}

private func run() -> Int32 {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else { trap("usage: SerialProgram echo|sum|flow|bridge PATH") }
    let port: EpollPort
    do { port = try EpollPort() } catch { trap("no completion port: \(error)") }
    let loop = EventLoop(port: port)
    defer { loop.shutdown() }
    return loop.run { loop async -> Int32 in
        do throws(SerialError) {
            try await play(arguments[1], SerialText(arguments[2]), loop)
            return 0
        } catch {
            say("\(arguments[1]): \(error)")
            return 1
        }
    }
}

@main enum SerialProgram {
    static func main() { exit(run()) }
}
