#if PORTLOOP_LINUX
import Glibc
import Portloop

/// Ends the process with a status.
func exitWith(_ status: Int32) -> Never { exit(status) }

/// Shows a loop at work for three seconds, as a table that moves, then says what it counted. The status is 0 if everything added up.
func runDemo() -> Int32 {
    do {
        let loop = try EventLoop.native()
        let demo = try Demo(loop.operationsOnThisThread())
        return demo.run()
    } catch {
        print("portloop demo: \(error)")
        return 1
    }
}

/// The demonstration: two conversations, a thousand timers, one thread that posts.
private final class Demo {
    private let ops: Operations
    private let sockets: Conversation
    private let terminal: Conversation
    private let timers: TimerField
    private let poster = Poster()
    private let table = Table()

    init(_ ops: Operations) throws {
        self.ops = ops
        let (a, b) = try Pair.sockets()
        sockets = Conversation(ops, try ops.associate(a), try ops.associate(b), bytes: 64)
        let (c, d) = try Pair.terminal()
        terminal = Conversation(ops, try ops.associate(c), try ops.associate(d), bytes: 16)
        timers = TimerField(ops, count: 1_000, within: .seconds(3))
    }

    func run() -> Int32 {
        let end = ops.loop.now.advanced(by: 3_000_000_000)
        sockets.start()
        terminal.start()
        timers.start()
        poster.start(ops.loop)
        tick()
        while ops.loop.now < end { ops.loop.turn(until: end) }
        let posted = poster.stop()
        ops.loop.turn(.poll)
        return summary(posted)
    }

    /// The table is drawn by a timer like any other.
    private func tick() {
        draw()
        ops.call(after: .milliseconds(250)) { [self] in tick() }
    }

    private func draw() {
        let metrics = ops.metrics
        table.draw([
            ("socket pair", "\(sockets.roundTrips) round trips of 64 bytes"),
            ("pty pair", "\(terminal.roundTrips) round trips of 16 bytes"),
            ("timers", "\(timers.fired) of 1000 fired, the latest \(metrics.lateness.largest / 1_000) µs late"),
            ("other thread", "\(poster.received) posts received, \(metrics.wakeUps) wake-ups"),
            ("loop", "\(metrics.turns) turns, \(metrics.operations.packets) packets, \(metrics.port.kernelWaits) waits in the kernel"),
        ])
    }

    private func summary(_ posted: Int) -> Int32 {
        draw()
        let report = ops.loop.shutdown()
        let isRight = timers.fired == 1_000 && poster.received == posted && sockets.roundTrips > 0 && terminal.roundTrips > 0
        print("left in flight when the loop ended: \(report.operations.count)")
        print(isRight && report.isClean ? "everything added up" : "something did not add up")
        return isRight && report.isClean ? 0 : 1
    }
}

/// Two ends that hand a message back and forth, each end an overlapped read followed by an overlapped write.
private final class Conversation {
    private let ops: Operations
    private let ends: (AssociatedHandle, AssociatedHandle)
    private let bytes: Int
    private(set) var roundTrips = 0

    init(_ ops: Operations, _ a: AssociatedHandle, _ b: AssociatedHandle, bytes: Int) {
        self.ops = ops
        ends = (a, b)
        self.bytes = bytes
    }

    func start() {
        answer(at: ends.1, received: 0)
        answer(at: ends.0, received: 0)
        send(from: ends.0)
    }

    /// Reads a whole message at one end, then sends one back from it. The first end counts.
    private func answer(at end: AssociatedHandle, received: Int) {
        _ = try? ops.perform(on: end, capacity: bytes - received) { op in
            op.read()
        } completed: { [self] id, _ in
            guard let count = try? ops.withResult(id, { completion, _ in completion.count }), count > 0 else { return }
            guard received + count == bytes else { return answer(at: end, received: received + count) }
            if end == ends.0 { roundTrips += 1 }
            send(from: end)
            answer(at: end, received: 0)
        }
    }

    private func send(from end: AssociatedHandle) {
        _ = try? ops.perform(on: end, capacity: bytes) { op in
            op.withBuffer { buffer in
                for place in 0..<buffer.byteCount { buffer.storeBytes(of: UInt8(ascii: "."), toByteOffset: place, as: UInt8.self) }
            }
            return op.write(count: bytes)
        } completed: { [ops] id, _ in
            try? ops.free(id)
        }
    }
}

/// Many timers with deadlines spread over a time.
private final class TimerField {
    private let ops: Operations
    private let count: Int
    private let nanoseconds: UInt64
    private(set) var fired = 0

    init(_ ops: Operations, count: Int, within time: Duration) {
        self.ops = ops
        self.count = count
        nanoseconds = UInt64(time.components.seconds) * 1_000_000_000
    }

    func start() {
        let now = ops.loop.now
        for _ in 0..<count {
            ops.call(at: now.advanced(by: UInt64.random(in: 0..<(nanoseconds - 100_000_000)))) { [self] in fired += 1 }
        }
    }
}

/// The table: drawn over itself on a terminal, once at the end elsewhere.
private final class Table {
    private var drawn = 0
    private let isTerminal = isatty(1) == 1

    func draw(_ rows: [(String, String)]) {
        if isTerminal, drawn > 0 { print("\u{1B}[\(drawn)A", terminator: "") }
        for (name, value) in rows {
            let padding = String(repeating: " ", count: 14 - name.count)
            print(isTerminal ? "\u{1B}[2K\(name)\(padding)\(value)" : "\(name)\(padding)\(value)")
        }
        if !isTerminal { print() }
        drawn = rows.count
    }
}
#endif
