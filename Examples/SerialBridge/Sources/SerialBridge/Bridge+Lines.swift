import Portloop
import Rfc2217
import SerialOps

extension Bridge {
    /// A client says that it sets the port, or that it does no more: then it hears how the lines are, which are none where there are none.
    func setComPort(_ isOn: Bool, _ client: Client) async -> [UInt8] {
        clients[client.number]?.isComPort = isOn
        if clients.values.contains(where: \.isComPort) { hasListeners.open() } else { hasListeners.close() }
        guard isOn else { return [] }
        var lines: ModemLines = []
        do throws(SerialError) { lines = try await port.lines() } catch {}
        return ComPortMessage.modemState(ModemState(now: ModemState(lines), changed: []).rawValue).encoded(from: .server)
    }

    /// Tells those who asked for it what happened on the lines.
    func tellOfLines(_ event: SerialEvent) {
        for client in clients.values where client.isComPort {
            let message: ComPortMessage? =
                switch event {
                case .linesChanged(let changed, let now):
                    ModemState(now: ModemState(now), changed: ModemState(changed)).masked(by: client.modemStateMask).map { .modemState($0) }
                default: LineState(event)?.masked(by: client.lineStateMask).map { .lineState($0) }
                }
            if let message, client.bytes.trySend(message.encoded(from: .server)) == .full { leave(client) }
        }
    }
}

/// Watches the lines while there is somebody to be told; for ports that have any.
func watchLines(of bridge: Bridge) async {
    let events = bridge.port.events(interval: .milliseconds(100))
    do {
        while true {
            try await bridge.hasListeners.wait()
            do throws(SerialError) {
                guard let event = try await events.next(timeout: .seconds(1)) else { return }
                await bridge.tellOfLines(event)
            } catch {
                guard case .timedOut = error else { return }
            }
        }
    } catch {
        // The program ends.
    }
}

extension ModemState {
    init(_ lines: ModemLines) {
        self = []
        if lines.contains(.cts) { insert(.cts) }
        if lines.contains(.dsr) { insert(.dsr) }
        if lines.contains(.ri) { insert(.ring) }
        if lines.contains(.cd) { insert(.carrier) }
    }
}

extension LineState {
    /// Nil for what RFC 2217 has no bit for.
    init?(_ event: SerialEvent) {
        switch event {
        case .breakReceived: self = .breakReceived
        case .parityError: self = .parityError
        case .framingError: self = .framingError
        case .overrun, .bufferOverrun: self = .overrun
        case .linesChanged, .damaged, .possiblyLost: return nil
        }
    }
}
