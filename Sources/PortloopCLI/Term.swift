#if PORTLOOP_LINUX
import Glibc
import Portloop
import SerialOps

// portloop term DEVICE: what is typed goes to the port, what the port brings is shown.
//
//    console ──keys──► Keys ──bytes──► port          two fibers, and a third for signals; whoever ends first ends all
//    console ◄──────── View ◄──bytes── port

/// What `portloop term` was asked for.
struct TermRequest {
    var path: SerialText
    var settings = SerialSettings()
    var isHex = false

    static let usage = """
        usage: portloop term DEVICE [-b BAUD] [-m 8N1] [-f none|xonxoff|rtscts] [--no-dtr] [--no-rts] [--hex]

        Ctrl-] leaves. Ctrl-T and a letter: h bytes in hexadecimal or as they are, f send a file, l show the lines, d or r change DTR or
        RTS, b send a break, t send a Ctrl-T, ? these words.
        """

    /// Nil for words that make no sense.
    init?(_ arguments: [String]) {
        guard let device = arguments.first, !device.hasPrefix("-") else { return nil }
        path = SerialText(device)
        var rest = arguments.dropFirst()
        while let word = rest.popFirst() {
            switch word {
            case "-b":
                guard let baud = rest.popFirst().flatMap({ UInt32($0) }), baud > 0 else { return nil }
                settings.baud = baud
            case "-m": guard let mode = rest.popFirst(), setMode(mode) else { return nil }
            case "-f": guard let flow = rest.popFirst(), setFlow(flow) else { return nil }
            case "--no-dtr": settings.dtr = .cleared
            case "--no-rts": settings.rts = .cleared
            case "--hex": isHex = true
            default: return nil
            }
        }
    }

    private mutating func setFlow(_ word: String) -> Bool {
        switch word {
        case "none": settings.flowControl = .none
        case "xonxoff": settings.flowControl = .xonXoff
        case "rtscts": settings.flowControl = .rtsCts
        default: return false
        }
        return true
    }

    /// Data bits, parity and stop bits, as in 8N1.
    private mutating func setMode(_ word: String) -> Bool {
        let letters = Array(word.uppercased())
        guard letters.count == 3, let size = letters[0].wholeNumberValue, let bits = DataBits(rawValue: UInt8(size)) else { return false }
        let parities: [Character: Parity] = ["N": .none, "O": .odd, "E": .even, "M": .mark, "S": .space]
        guard let parity = parities[letters[1]], let stop = ["1": StopBits.one, "2": .two][letters[2]] else { return false }
        (settings.dataBits, settings.parity, settings.stopBits) = (bits, parity, stop)
        return true
    }
}

/// Runs the terminal until somebody leaves, the device goes or a signal comes. The program's status.
func runTerm(_ arguments: [String]) -> Int32 {
    guard let request = TermRequest(arguments) else {
        print(TermRequest.usage)
        return 2
    }
    let console: Console
    let loop: EventLoop
    do {
        console = try Console()
        loop = try EventLoop.native()
    } catch {
        print("portloop term: \(error)")
        return 1
    }
    defer {
        console.restore()
        loop.shutdown()
    }
    let (status, words) = loop.run { loop async -> (Int32, String) in
        do throws(SerialError) {
            let port = try await SerialPort.open(request.path, request.settings, on: loop)
            return await Term(port, request, console, on: loop).play()
        } catch {
            return (1, "portloop term: \(error)")
        }
    }
    console.restore()
    if !words.isEmpty { print(words) }
    return status
}

/// One session.
actor Term: OnLoop {
    nonisolated let loop: EventLoop
    private let port: SerialPort
    private let console: Console
    private let path: SerialText
    private var screen: Screen
    private var isHex: Bool
    private var dtr: Bool
    private var rts: Bool
    private lazy var operations = loop.operations(for: self)
    private var handle: AssociatedHandle?
    private var verdict: (Int32, String)?
    /// Typed, and not looked at yet.
    private var keys: [UInt8] = []

    init(_ port: SerialPort, _ request: TermRequest, _ console: Console, on loop: EventLoop) {
        self.port = port
        self.loop = loop
        self.console = console
        path = request.path
        isHex = request.isHex
        dtr = request.settings.dtr != .cleared
        rts = request.settings.rts != .cleared
        screen = Screen()
    }

    func play() async -> (Int32, String) {
        handle = try? operations.associate(console.handle)
        await show("portloop: \(path), \(await port.settings.baud) baud. Ctrl-] leaves, Ctrl-T ? helps.\r\n")
        let received = loop.spawn(name: "port to console") { _ async in await self.receive() }
        let typed = loop.spawn(name: "console to port") { _ async in await self.type() }
        let told = loop.spawn(name: "signals") { loop async in
            guard let signals = try? loop.signals(.terminate, .hangup) else { return }
            _ = try? await signals.next()
            await self.end(0, "")
        }
        await received.value
        typed.cancel()
        told.cancel()
        await typed.value
        await told.value
        if let handle { _ = try? await operations.awaitRetire(handle) }
        return verdict ?? (0, "")
    }

    /// Ends the session: the port's close ends whoever reads it.
    private func end(_ status: Int32, _ words: String) async {
        if verdict == nil { verdict = (status, words) }
        await port.close()
    }

    private func receive() async {
        while true {
            do throws(SerialError) {
                let bytes = try await port.read()
                await show(isHex ? screen.hex(bytes) : bytes)
            } catch .closed {
                return
            } catch {
                return await end(1, "\r\nportloop term: \(error)")
            }
        }
    }

    private func type() async {
        while let key = await nextKey() {
            switch key {
            case Key.leave: return await end(0, "\r\n")
            case Key.command:
                guard let letter = await nextKey() else { return }
                await obey(letter)
            default:
                // What was typed or pasted at once goes out at once.
                let rest = keys.prefix { $0 != Key.leave && $0 != Key.command }
                keys.removeFirst(rest.count)
                await send([key] + rest)
            }
        }
        await end(0, "")
    }

    private func send(_ bytes: [UInt8]) async {
        await tell { () throws(SerialError) in try await self.port.write(bytes, timeout: .seconds(10)) }
    }

    /// The next key; nil when the session is over or the console is gone.
    private func nextKey() async -> UInt8? {
        while keys.isEmpty {
            guard let handle, verdict == nil else { return nil }
            guard let outcome = try? await operations.perform(on: handle, capacity: 256, { op in op.read() }) else { return nil }
            guard outcome.end == .finished, outcome.count > 0 else { return nil }
            keys = outcome.copyBytes()
        }
        return keys.removeFirst()
    }

    private func obey(_ byte: UInt8) async {
        switch UnicodeScalar(byte) {
        case "h":
            isHex.toggle()
            await show("\r\n[\(isHex ? "hexadecimal" : "as it is")]\r\n")
        case "f": await sendFile()
        case "l": await showLines()
        case "d":
            dtr.toggle()
            await tell { () throws(SerialError) in try await self.port.setLines(dtr: self.dtr) }
            await show("\r\n[DTR \(dtr ? "on" : "off")]\r\n")
        case "r":
            rts.toggle()
            await tell { () throws(SerialError) in try await self.port.setLines(rts: self.rts) }
            await show("\r\n[RTS \(rts ? "on" : "off")]\r\n")
        case "b":
            await tell { () throws(SerialError) in try await self.port.sendBreak() }
            await show("\r\n[break]\r\n")
        case "t", UnicodeScalar(Key.command): await send([Key.command])
        default: await show("\r\n" + TermRequest.usage.split(separator: "\n").joined(separator: "\r\n") + "\r\n")
        }
    }

    private func showLines() async {
        await tell { () throws(SerialError) in
            let lines = try await self.port.lines()
            let names: [(ModemLines, String)] = [(.cts, "CTS"), (.dsr, "DSR"), (.ri, "RI"), (.cd, "CD")]
            let found = names.map { "\($0.1) \(lines.contains($0.0) ? "on" : "off")" }.joined(separator: ", ")
            await self.show("\r\n[DTR \(self.dtr ? "on" : "off"), RTS \(self.rts ? "on" : "off"), \(found)]\r\n")
        }
    }

    private func sendFile() async {
        guard let name = await ask("file: ") else { return }
        guard let bytes = try? await loop.offload(name: "read a file", { FileBytes.read(name) }) else {
            return await show("[there is no file \(name)]\r\n")
        }
        await show("[sending \(bytes.count) bytes]\r\n")
        await tell { () throws(SerialError) in
            try await self.port.write(bytes)
            try await self.port.drain(timeout: .seconds(60))
        }
        await show("[sent]\r\n")
    }

    /// A line that is typed, shown as it is; nil where it is given up with Escape or Ctrl-C.
    private func ask(_ words: String) async -> String? {
        await show("\r\n" + words)
        var line: [UInt8] = []
        while let key = await nextKey() {
            switch key {
            case 0x0D, 0x0A:
                await show("\r\n")
                return String(decoding: line, as: UTF8.self)
            case 0x03, 0x1B:
                await show("\r\n")
                return nil
            case 0x7F, 0x08:
                if line.popLast() != nil { await show("\u{8} \u{8}") }
            default:
                line.append(key)
                await show([key])
            }
        }
        return nil
    }

    private func show(_ text: String) async { await show(Array(text.utf8)) }

    private func show(_ bytes: [UInt8]) async {
        guard let handle, !bytes.isEmpty else { return }
        // SAFETY: both are as many bytes as the array has.
        _ = try? await operations.perform(on: handle, capacity: bytes.count) { op in
            op.withBuffer { buffer in unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) } }
            return op.write(count: bytes.count)
        }
    }

    /// Does something with the port, and says what went wrong.
    private func tell(_ body: () async throws(SerialError) -> Void) async {
        do throws(SerialError) { try await body() } catch { await show("\r\n[\(error)]\r\n") }
    }
}

/// Keys that are not sent.
private enum Key {
    /// Ctrl-]
    static let leave: UInt8 = 0x1D
    /// Ctrl-T
    static let command: UInt8 = 0x14
}

/// Bytes in hexadecimal, sixteen in a line, however they come.
struct Screen {
    private var column = 0

    mutating func hex(_ bytes: [UInt8]) -> [UInt8] {
        var text = ""
        for byte in bytes {
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
            column = (column + 1) % 16
            text += column == 0 ? "\r\n" : " "
        }
        return Array(text.utf8)
    }
}
#endif
