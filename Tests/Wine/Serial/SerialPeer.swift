internal import CLoopWin32
internal import SerialOps

/// The device at the other end of a case's ports: orders to `Host/peer.c`, by a port of its own. Each waits for its answer.
final class SerialPeer: Sendable {
    private let orders: Int

    /// The ports, each a new device.
    init(_ ports: Int...) throws(Unmet) {
        var handle = 0
        let access = Windows.genericRead | Windows.genericWrite
        let code = unsafe portloop_win32_file_open("\\\\.\\COM9".wide, access, 0, nil, Windows.openExisting, 0, 0, &handle)
        if code != 0 { throw .failed("the peer's port: error \(code)") }
        orders = handle
        // A read waits for as long as it takes.
        var timeouts = portloop_win32_comm_timeouts()
        let set = unsafe portloop_win32_comm_timeouts_set(orders, &timeouts)
        if set != 0 { throw .failed("the peer's timeouts: error \(set)") }
        for port in ports { try order("open \(port)") }
    }

    deinit { _ = portloop_win32_close_handle(orders) }

    func order(_ words: String) throws(Unmet) {
        let answer = try ask(words)
        if answer != "ok" { throw .failed("the peer was told to \(words) and says \(answer)") }
    }

    func send(_ port: Int, _ bytes: [UInt8]) throws(Unmet) {
        try order("send \(port) " + bytes.reduce(into: "") { $0 += SerialPeer.digits($1) })
    }

    func send(_ port: Int, _ text: String) throws(Unmet) { try send(port, Array(text.utf8)) }

    /// Up to so many bytes that the port was given, within a time.
    func take(_ port: Int, _ count: Int, milliseconds: Int = 2_000) throws(Unmet) -> [UInt8] {
        let digits = Array(try ask("take \(port) \(count) \(milliseconds)").utf8).map(SerialPeer.value)
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    func takeText(_ port: Int, _ count: Int) throws(Unmet) -> String { String(decoding: try take(port, count), as: UTF8.self) }

    /// What `sink` has taken.
    func got(_ port: Int) throws(Unmet) -> (count: Int, wrong: Int) {
        let numbers = try numbers("got \(port)")
        return (numbers[0], numbers[1])
    }

    /// What the other side has set.
    func settings(_ port: Int) throws(Unmet) -> (baud: Int, isXonXoff: Bool, isRtsCts: Bool) {
        let numbers = try numbers("speed \(port)")
        return (numbers[0], numbers[1] != 0, numbers[2] != 0)
    }

    /// The byte at a place of the pattern that `stream` sends and `sink` expects.
    static func pattern(_ place: Int) -> UInt8 { UInt8(place % 251 ^ place / 251 % 7) }

    private func numbers(_ words: String) throws(Unmet) -> [Int] {
        var (found, isOpen) = ([Int](), false)
        for byte in try ask(words).utf8 {
            let isDigit = byte >= 0x30 && byte <= 0x39
            if isDigit && !isOpen { found.append(0) }
            if isDigit { found[found.count - 1] = found[found.count - 1] * 10 + Int(byte - 0x30) }
            isOpen = isDigit
        }
        if found.count < 2 { throw .failed("the peer has no answer to \(words)") }
        return found
    }

    // SAFETY: each call waits until the system has done with the bytes that it is given.
    private func ask(_ words: String) throws(Unmet) -> String {
        let line = Array(words.utf8) + [0x0A]
        var moved: UInt32 = 0
        let code = unsafe portloop_win32_file_write(orders, line, UInt32(line.count), nil, &moved)
        if code != 0 || moved != UInt32(line.count) { throw .failed("the peer cannot be told: error \(code)") }
        var answer: [UInt8] = []
        while true {
            var byte: UInt8 = 0
            let code = unsafe portloop_win32_file_read(orders, &byte, 1, nil, &moved)
            if code != 0 || moved != 1 { throw .failed("the peer does not answer: error \(code)") }
            if byte == 0x0A { return String(decoding: answer, as: UTF8.self) }
            answer.append(byte)
        }
    }

    private static func digits(_ byte: UInt8) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: [digits[Int(byte >> 4)], digits[Int(byte & 15)]], as: UTF8.self)
    }

    private static func value(_ digit: UInt8) -> UInt8 { digit < 0x3A ? digit - 0x30 : digit - 0x57 }
}
