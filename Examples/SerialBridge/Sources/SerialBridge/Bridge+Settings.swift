import Portloop
import Rfc2217
import SerialOps

extension Bridge {
    /// Does what a client asks for, and says what is in force afterwards: a setting that the port refuses is as it was before.
    func answer(_ message: ComPortMessage, of client: Client) async -> ComPortMessage? {
        switch message {
        case .signature(let text): return text.isEmpty ? .signature(Array("Portloop SerialBridge".utf8)) : nil
        case .baud(let baud): return .baud(await change(baud == 0 ? nil : baud) { $0.baud = $1 }.baud)
        case .dataSize(let code): return .dataSize(await change(DataBits(rawValue: code)) { $0.dataBits = $1 }.dataBits.rawValue)
        case .parity(let code): return .parity(await change(Parity(code: code)) { $0.parity = $1 }.parity.code)
        case .stopSize(let code): return .stopSize(await change(StopBits(code: code)) { $0.stopBits = $1 }.stopBits.code)
        case .control(let code):
            guard let control = ComPortControl(rawValue: code) else { return nil }
            return .control(await inForce(after: control).rawValue)
        case .purge(let code):
            guard (1...3).contains(code) else { return nil }
            // The codes are those of the directions: 1 for what was received, 2 for what is to be sent.
            do throws(SerialError) { try await port.discard(SerialDirections(rawValue: code)) } catch { return nil }
            return message
        case .lineStateMask(let mask):
            clients[client.number]?.lineStateMask = mask
            return message
        case .modemStateMask(let mask):
            clients[client.number]?.modemStateMask = mask
            return message
        case .suspend: client.mayBeTold.close()
        case .resume: client.mayBeTold.open()
        case .lineState, .modemState: break  // The server says these.
        }
        return nil
    }

    /// The settings in force, after one was changed if there is a value for it.
    private func change<Value>(_ value: Value?, _ set: (inout SerialSettings, Value) -> Void) async -> SerialSettings {
        guard let value else { return await port.settings }
        do throws(WaitError) { try await changes.lock() } catch { return await port.settings }
        defer { changes.unlock() }
        let before = await port.settings
        var settings = before
        set(&settings, value)
        do throws(SerialError) {
            try await port.configure(settings)
        } catch {
            // The driver may have done something else instead.
            do throws(SerialError) { try await port.configure(before) } catch {}
        }
        return await port.settings
    }

    /// Flow control, the break and the lines.
    private func inForce(after control: ComPortControl) async -> ComPortControl {
        switch control {
        // Both directions have the same: what is asked of one alone is not done.
        case .flowAsked, .outboundCarrier, .outboundDsr: return flow(await port.settings)
        case .noFlowControl: return flow(await change(FlowControl.none) { $0.flowControl = $1 })
        case .xonXoff: return flow(await change(FlowControl.xonXoff) { $0.flowControl = $1 })
        case .rtsCts: return flow(await change(FlowControl.rtsCts) { $0.flowControl = $1 })
        case .inboundFlowAsked, .noInboundFlowControl, .inboundXonXoff, .inboundRtsCts, .inboundDtr:
            return inboundFlow(await port.settings)
        case .breakAsked: break
        case .breakOn: beginBreak()
        case .breakOff: await endBreak()
        case .dtrAsked: return lines.dtr ? .dtrOn : .dtrOff
        case .dtrOn, .dtrOff:
            await set(dtr: control == .dtrOn)
            return lines.dtr ? .dtrOn : .dtrOff
        case .rtsAsked: return lines.rts ? .rtsOn : .rtsOff
        case .rtsOn, .rtsOff:
            await set(rts: control == .rtsOn)
            return lines.rts ? .rtsOn : .rtsOff
        }
        return breaking == nil ? .breakOff : .breakOn
    }

    private func flow(_ settings: SerialSettings) -> ComPortControl {
        switch settings.flowControl {
        case .none: .noFlowControl
        case .xonXoff: .xonXoff
        case .rtsCts: .rtsCts
        case .dtrDsr: .outboundDsr
        }
    }

    private func inboundFlow(_ settings: SerialSettings) -> ComPortControl {
        switch settings.flowControl {
        case .none: .noInboundFlowControl
        case .xonXoff: .inboundXonXoff
        case .rtsCts: .inboundRtsCts
        case .dtrDsr: .inboundDtr
        }
    }

    /// A port that has no lines, such as a pseudo terminal, remembers them: clients set both when they begin, and take another answer than
    /// what they asked for as the end.
    private func set(dtr: Bool? = nil, rts: Bool? = nil) async {
        if await port.capabilities.modemLines != .unsupported {
            do throws(SerialError) { try await port.setLines(dtr: dtr, rts: rts) } catch { return }
        }
        lines = (dtr ?? lines.dtr, rts ?? lines.rts)
    }

    /// Ten seconds at most, lest a client that is gone leave the line so.
    private func beginBreak() {
        guard breaking == nil else { return }
        breaking = loop.spawn(name: "break") { [port] _ async in
            do throws(SerialError) { try await port.sendBreak(for: .seconds(10)) } catch {}
        }
    }

    private func endBreak() async {
        guard let breaking else { return }
        self.breaking = nil
        breaking.cancel()
        await breaking.value
    }
}

// The codes of RFC 2217; zero, which asks, is none of them.

extension Parity {
    init?(code: UInt8) {
        guard code > 0 else { return nil }
        self.init(rawValue: code - 1)
    }

    var code: UInt8 { rawValue + 1 }
}

extension StopBits {
    init?(code: UInt8) {
        switch code {
        case 1: self = .one
        case 2: self = .two
        case 3: self = .onePointFive
        default: return nil
        }
    }

    var code: UInt8 {
        switch self {
        case .one: 1
        case .two: 2
        case .onePointFive: 3
        }
    }
}
