public import LoopCore
import _Concurrency

/// A serial port came or went.
public enum SerialPortChange: Hashable, Sendable {
    /// It was plugged in. Another program may still be setting its permissions: ``SerialPort/open(matching:_:on:timeout:)`` waits for that.
    case added(SerialPortInfo)
    /// It was unplugged. What was known of it.
    case removed(SerialPortInfo)
}

/// Watches the serial ports of the machine.
///
/// ```swift
/// let watcher = try await SerialPort.watch(on: loop)
/// print(await watcher.ports)
/// while let change = try await watcher.next() { print(change) }
/// ```
///
/// It misses nothing from the moment it is made: a port that is unplugged and plugged in again before anybody asks is told as two changes.
/// While nothing happens it costs nothing, and while nobody asks nothing is looked at. Dropping the last reference ends it, as
/// ``close()`` does.
public actor SerialPortWatcher: OnLoop {
    /// Where it lives.
    public nonisolated let loop: EventLoop
    /// The ports as they are after the changes that have been handed out, and those that wait to be.
    public private(set) var ports: [SerialPortInfo] = []
    private let source: any SerialPortSource
    private let watching: PortWatching
    private let turn: Turn
    /// Dropped with this actor, whichever thread does that.
    private let owner: RemoteCompletion?
    private let operations: Operations
    private var waiting: [SerialPortChange] = []

    init(_ source: any SerialPortSource, _ news: any SerialPortNews, on loop: isolated EventLoop) throws(SerialError) {
        self.loop = loop
        self.source = source
        operations = loop.operations(for: loop)
        turn = Turn(operations)
        watching = try PortWatching(news, operations)
        owner = watching.stopWhenDropped()
    }

    /// The next change; waits for one. Nil when the watcher has been closed.
    ///
    /// A call that times out or is cancelled loses no change: the next call gets it. Calls are served one after the other.
    public func next(timeout: Duration? = nil) async throws(SerialError) -> SerialPortChange? {
        let deadline = Deadline.after(timeout, operations)
        if !turn.takeIfFree() {
            do throws(WaitError) { try await turn.wait(deadline) } catch { throw SerialError(error, .watch, moved: 0) }
        }
        defer { turn.give() }
        while true {
            if !waiting.isEmpty { return waiting.removeFirst() }
            if let ending = watching.ending {
                guard ending == .closed else { throw ending }
                return nil
            }
            if watching.isStale {
                try await look(deadline.left(operations.now))
            } else {
                do throws(WaitError) {
                    try await watching.arrivals.wait(timeout: deadline.left(operations.now))
                } catch {
                    throw SerialError(error, .watch, moved: 0)
                }
            }
        }
    }

    /// Ends the watcher, and returns when the system has its handle back. Who waits for a change gets nil.
    public func close() async {
        watching.finish(.closed)
        await watching.awaitClose()
    }

    /// What is there to begin with is no change.
    func begin(_ timeout: Duration?) async throws(SerialError) {
        ports = try await SerialPort.list(source, on: loop, timeout: timeout)
    }

    /// Compares the list with what was known of it.
    private func look(_ timeout: Duration?) async throws(SerialError) {
        let gone = watching.takeGone()
        watching.isStale = false
        let found: [SerialPortInfo]
        do throws(SerialError) {
            found = try await SerialPort.list(source, on: loop, timeout: timeout)
        } catch {
            watching.giveBack(gone)
            throw error.during(.watch)
        }
        let kept = ports.filter { found.contains($0) && !gone.contains($0.path) }
        waiting += ports.filter { !kept.contains($0) }.map { .removed($0) }
        waiting += found.filter { !kept.contains($0) }.map { .added($0) }
        ports = found
    }
}

extension SerialPort {
    /// Begins to watch the serial ports of the machine.
    public static func watch(on loop: EventLoop, timeout: Duration = .seconds(5)) async throws(SerialError) -> SerialPortWatcher {
        try await watch(NativeSerialPortSource(), on: loop, timeout: timeout)
    }

    /// Listens first and lists then, so that nothing happens in between.
    package static func watch(
        _ source: any SerialPortSource, on loop: EventLoop, timeout: Duration?
    ) async throws(SerialError) -> SerialPortWatcher {
        let news: any SerialPortNews
        do throws(OffloadError<SerialError>) {
            news = try await loop.offload(name: "watch serial ports", timeout: timeout) { () throws(SerialError) in try source.listen() }
        } catch {
            throw SerialError(error, .watch)
        }
        let watcher = try await watcher(source, news, on: loop)
        do throws(SerialError) {
            try await watcher.begin(timeout)
        } catch {
            await watcher.close()
            throw error
        }
        return watcher
    }

    private static func watcher(
        _ source: any SerialPortSource, _ news: any SerialPortNews, on loop: isolated EventLoop
    ) async throws(SerialError) -> SerialPortWatcher {
        do throws(SerialError) {
            return try SerialPortWatcher(source, news, on: loop)
        } catch {
            news.close()
            throw error
        }
    }
}
