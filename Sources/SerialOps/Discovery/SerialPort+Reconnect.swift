public import LoopCore
import _Concurrency

extension SerialPort {
    /// The device behind this port, as it was when the port was opened; nil where there is none, as behind a pseudo terminal.
    public var info: SerialPortInfo? { stream.device.info }

    /// Opens the port of a device, under whatever name it has, and waits for it to be plugged in if it is not.
    ///
    /// ```swift
    /// let board = try await SerialPort.open(matching: SerialIdentity(vendorID: 0x0403, productID: 0x6001), on: loop)
    /// ```
    ///
    /// Where several match the first in the list is taken. A port that may not be opened, or that another program has, is tried again for a
    /// second from when it was found: other programs set its permissions just then, and look at what it is.
    public static func open(
        matching identity: SerialIdentity, _ settings: SerialSettings = SerialSettings(), on loop: EventLoop, timeout: Duration? = nil
    ) async throws(SerialError) -> SerialPort {
        try await open(matching: identity, settings, on: loop, timeout: timeout, NativeSerialPortSource())
    }

    /// How the port that was found is opened.
    package typealias Opening = @Sendable (SerialText, SerialSettings, EventLoop, Duration) async throws(SerialError) -> SerialPort

    /// The same, from a source, and opened by a function.
    package static func open(
        matching identity: SerialIdentity, _ settings: SerialSettings, on loop: EventLoop, timeout: Duration?,
        _ source: any SerialPortSource, by opening: @escaping Opening = SerialPort.opening
    ) async throws(SerialError) -> SerialPort {
        let deadline = LoopDeadline(timeout, loop)
        let watcher: SerialPortWatcher
        do throws(SerialError) {
            watcher = try await watch(source, on: loop, timeout: deadline.left)
        } catch {
            throw error.during(.reconnect)
        }
        let outcome: Result<SerialPort, SerialError>
        do throws(SerialError) {
            outcome = .success(try await open(matching: identity, settings, watcher, deadline, opening))
        } catch {
            outcome = .failure(error)
        }
        await watcher.close()
        return try outcome.get()
    }

    private static func open(
        matching identity: SerialIdentity, _ settings: SerialSettings, _ watcher: SerialPortWatcher, _ deadline: LoopDeadline,
        _ opening: Opening
    ) async throws(SerialError) -> SerialPort {
        while true {
            if let info = await watcher.ports.first(where: identity.matches),
                let port = try await openIfThere(info, settings, on: watcher.loop, deadline, opening)
            {
                guard let found = await port.info, !identity.matches(found) else { return port }
                // Another device got the name meanwhile.
                await port.close()
            }
            let change: SerialPortChange?
            do throws(SerialError) { change = try await watcher.next(timeout: deadline.left) } catch { throw error.during(.reconnect) }
            // Nobody but the end of the loop closes this watcher.
            guard change != nil else { throw .closed }
        }
    }

    /// Nil if it is gone again.
    private static func openIfThere(
        _ info: SerialPortInfo, _ settings: SerialSettings, on loop: EventLoop, _ deadline: LoopDeadline, _ opening: Opening
    ) async throws(SerialError) -> SerialPort? {
        let patience = LoopDeadline(openPatience, loop)
        var before: SerialError?
        while true {
            do throws(SerialError) {
                return try await opening(info.path, settings, loop, deadline.left ?? .seconds(5))
            } catch {
                switch error {
                case .notFound, .disconnected: return nil
                case .permissionDenied, .busy: before = error
                case .timedOut: throw before ?? error.during(.reconnect)
                default: throw error.during(.reconnect)
                }
            }
            guard patience.left != .zero, deadline.left != .zero else { throw before ?? .timedOut(.reconnect, moved: 0) }
            do throws(WaitError) { try await loop.sleep(for: openPause) } catch { throw SerialError(error, .reconnect, moved: 0) }
        }
    }

    package static let opening: Opening = { path, settings, loop, timeout async throws(SerialError) in
        try await open(path, settings, on: loop, timeout: timeout)
    }

    /// udev is done with a new device within a tenth of a second on a slow machine.
    private static let openPatience = Duration.seconds(1)
    private static let openPause = Duration.milliseconds(20)

    /// Waits for the device of this port to come back, under whatever name, and opens it with the same settings: for a port that ended with
    /// ``SerialError/disconnected``. One that has not ended is closed first.
    ///
    /// The port that is returned goes on counting where this one stopped; this one stays closed. Without a device that could be told again,
    /// as behind a pseudo terminal, this throws ``SerialError/notFound(_:)``.
    public func reconnect(timeout: Duration? = nil) async throws(SerialError) -> SerialPort {
        guard let identity = info?.identity else { throw .notFound(path) }
        // While this side has the old device open its name is not free.
        await close()
        let port = try await SerialPort.open(matching: identity, settings, on: loop, timeout: timeout)
        await port.goOnCounting(from: statistics)
        return port
    }

    private func goOnCounting(from before: SerialStatistics) {
        let now = stream.statistics
        stream.statistics = before
        // What came before this was called.
        stream.statistics.bytesReceived += now.bytesReceived
        stream.statistics.reads += now.reads
        stream.statistics.reconnects += 1
    }
}

/// Until when something may take, for who is not on the loop.
private struct LoopDeadline: Sendable {
    private let loop: EventLoop
    private let instant: MonotonicInstant?

    init(_ timeout: Duration?, _ loop: EventLoop) {
        self.loop = loop
        instant = timeout.map { loop.now.advanced(by: $0) }
    }

    /// The time that is left; nil for no deadline.
    var left: Duration? {
        instant.map { .nanoseconds(loop.now < $0 ? $0.nanoseconds(since: loop.now) : 0) }
    }
}

extension SerialError {
    /// The same of the call that the caller made.
    func during(_ call: SerialCall) -> SerialError {
        switch self {
        case .timedOut: .timedOut(call, moved: 0)
        case .cancelled: .cancelled(call, moved: 0)
        default: self
        }
    }
}
