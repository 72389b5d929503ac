#if PORTLOOP_LINUX
import Glibc
import LoopCore

/// The guest's console, whose other end is the script that started the machine: it prints what it is told, and does what it is asked for.
enum Console {
    // SAFETY: the call reads as many bytes as the array has.
    static func say(_ text: String) {
        let bytes = Array("\(text)\n".utf8)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            sent += max(0, count)
        }
    }

    /// Asks, and waits for the answer. It blocks.
    static func ask(_ request: String) throws(Refusal) -> String {
        say("@@HOST \(request)")
        while true {
            let line = try readLine()
            guard line.hasPrefix(prefix) else { continue }
            let answer = String(line.dropFirst(prefix.count))
            guard !answer.hasPrefix("error: ") else { throw Refusal(request: request, answer: answer) }
            return answer
        }
    }

    struct Refusal: Error, CustomStringConvertible {
        let request: String
        let answer: String
        var description: String { "the host was asked for `\(request)`: \(answer)" }
    }

    private static let prefix = "@@ANSWER "

    /// The host acts within milliseconds.
    private static let answerMillisecondsMax: Int32 = 25_000

    /// A terminal hands out whole lines.
    // SAFETY: both calls get as much memory as they are told.
    private static func readLine() throws(Refusal) -> String {
        var waited = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&waited, 1, answerMillisecondsMax) > 0 else { throw Refusal(request: "a line", answer: "no answer came") }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(0, $0.baseAddress, $0.count) }
        guard count > 0 else { throw Refusal(request: "a line", answer: "the console is closed") }
        return String(decoding: buffer.prefix(count).filter { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
    }
}

extension EventLoop {
    /// Asks the host to do something, on a helper thread.
    @discardableResult
    func host(_ request: String) async throws -> String {
        try await offload(name: "ask the host") { () throws(Console.Refusal) in try Console.ask(request) }
    }

    /// Sends bytes to a port, from its other end.
    func hostSends(_ bytes: [UInt8], to line: String) async throws {
        let digits = Array("0123456789abcdef")
        try await host("send \(line) \(String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }))")
    }

    /// Values that registers or requests had in the trace of the devices.
    func trace(_ request: String) async throws -> [UInt32] {
        try await host(request).split(separator: " ").compactMap { UInt32($0, radix: 16) }
    }

    /// Returns as soon as something holds that tells nobody when it does; it is looked at each millisecond.
    func wait(until sentence: String, within bound: Duration = .seconds(10), _ holds: () async throws -> Bool) async throws {
        let end = MonotonicClock.now + bound.components.seconds * 1_000_000_000
        while try await !holds() {
            try expect(MonotonicClock.now < end, "it never happened that \(sentence)")
            try await self.sleep(for: .milliseconds(1))
        }
    }
}
#endif
