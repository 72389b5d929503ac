import LoopCore
import Testing

@testable import SerialOps

@Suite("Dcb") struct DcbTests {
    /// What a driver has no way for, and no program asks it for.
    private static func isPossible(_ settings: SerialSettings) -> Bool { Dcb.impossible(in: settings) == nil }

    @Test("Every setting is what it was set to, when it is read back") func everySetting() {
        var possible = 0
        for settings in SerialSettings.allCombinations {
            var state = Dcb()
            state.set(settings)
            #expect(state.difference(from: settings, as: .windows) == nil)
            possible += Self.isPossible(settings) ? 1 : 0
        }
        // Of three numbers of stop bits two go with each number of data bits.
        #expect(possible == 4 * 4 * 5 * 2 * 4 * 2)
    }

    @Test("What Linux can do too means the same there") func sameAsTermios() {
        var seen = 0
        for settings in SerialSettings.allCombinations where settings.flowControl != .dtrDsr && Self.isPossible(settings) {
            var (state, termios) = (Dcb(), Termios())
            state.set(settings)
            termios.set(settings)
            #expect(state.baudRate == termios.outputSpeed)
            #expect(state.dataBits == termios.dataBits)
            #expect(state.parity == termios.parity)
            #expect(state.stopBits == termios.stopBits)
            #expect(state.flowControl == termios.flowControl)
            seen += 1
        }
        #expect(seen == 4 * 4 * 5 * 2 * 3 * 2)
    }

    @Test("Whatever was set before, the settings win, and bytes pass as they are") func everyTransition() {
        let some = SerialSettings.allCombinations.filter { $0.baud == 9_600 && !$0.hangsUpOnClose && $0.parity != .mark }
        for before in some {
            for after in some {
                var state = Dcb()
                state.set(before)
                state.flags.formUnion(DcbFlags.alwaysOff)
                state.rtsControl = .toggle
                state.set(after)
                #expect(state.difference(from: after, as: .windows) == nil)
                #expect(state.flags.isDisjoint(with: DcbFlags.alwaysOff))
                #expect(state.flags.contains(.binary))
                #expect(state.flags.contains(.parity) == (after.parity != .none))
                #expect(state.rtsControl == (after.flowControl == .rtsCts ? .handshake : .enabled))
            }
        }
    }

    @Test("Its numbers are those of winbase.h") func numbers() {
        #expect(MemoryLayout<Dcb>.size == 28)
        var settings = SerialSettings(baud: 19_200)
        settings.dataBits = .seven
        settings.parity = .even
        settings.stopBits = .two
        var state = Dcb()
        state.set(settings)
        state.setLines(dtr: true, rts: false)
        #expect((state.baudRate, state.byteSize, state.parityCode, state.stopBitsCode) == (19_200, 7, 2, 2))
        // fBinary, fParity, DTR_CONTROL_ENABLE.
        #expect(state.flags.rawValue == 0x13)
        settings.flowControl = .rtsCts
        state.set(settings)
        // fOutxCtsFlow, RTS_CONTROL_HANDSHAKE.
        #expect(state.flags.rawValue == 0x2017)
        settings.flowControl = .dtrDsr
        state.set(settings)
        // fOutxDsrFlow, DTR_CONTROL_HANDSHAKE; RTS is enabled.
        #expect(state.flags.rawValue == 0x102B)
        settings.flowControl = .xonXoff
        state.set(settings)
        // fTXContinueOnXoff, fOutX, fInX; DTR is enabled.
        #expect(state.flags.rawValue == 0x1393)
        #expect((state.xonCharacter, state.xoffCharacter, state.xonLimit, state.xoffLimit) == (0x11, 0x13, 2_048, 512))
        #expect(Parity.allCases.map(\.rawValue) == [0, 1, 2, 3, 4] && StopBits.allCases.map(\.rawValue) == [0, 1, 2])
    }

    @Test("What is the driver's own survives") func survives() {
        var state = Dcb()
        state.flags = DcbFlags(rawValue: 0xFFFF_8000)
        (state.reserved, state.reserved1, state.eventCharacter) = (7, 8, 9)
        (state.endCharacter, state.errorCharacter, state.xonLimit, state.xoffLimit) = (10, 11, 12, 13)
        let before = state
        for settings in SerialSettings.allCombinations {
            state.set(settings)
            #expect(state.flags.rawValue & 0xFFFF_8000 == 0xFFFF_8000)
            #expect((state.reserved, state.reserved1, state.eventCharacter) == (7, 8, 9))
            #expect((state.endCharacter, state.errorCharacter, state.xonLimit, state.xoffLimit) == (10, 11, 12, 13))
            #expect(state.length == before.length)
        }
    }

    @Test("Output lines are set, cleared and kept, but those that flow control has") func lines() {
        for flowControl in FlowControl.allCases {
            var settings = SerialSettings()
            settings.flowControl = flowControl
            for (dtr, rts) in [(true, false), (false, true), (nil, true), (false, nil), (nil, nil)] as [(Bool?, Bool?)] {
                var state = Dcb()
                state.set(settings)
                let before = state
                state.setLines(dtr: dtr, rts: rts)
                let isOn = { (line: Bool?, kept: LineControl) in line.map { $0 ? LineControl.enabled : .disabled } ?? kept }
                #expect(state.dtrControl == (flowControl == .dtrDsr ? .handshake : isOn(dtr, before.dtrControl)))
                #expect(state.rtsControl == (flowControl == .rtsCts ? .handshake : isOn(rts, before.rtsControl)))
                #expect(state.difference(from: settings, as: .windows) == nil)
            }
        }
    }

    @Test("A driver that does something else is caught, at the setting that it is about") func differences() {
        var settings = SerialSettings(baud: 250_000)
        settings.parity = .even
        settings.flowControl = .rtsCts
        func found(_ memory: DcbMemory = .windows, _ change: (inout Dcb) -> Void) -> SerialSetting? {
            var state = Dcb()
            state.set(settings)
            change(&state)
            return state.difference(from: settings, as: memory)?.0
        }
        #expect(found { $0.baudRate = 38_400 } == .baud)
        #expect(found { $0.baudRate = 244_898 } == nil)
        #expect(found { $0.byteSize = 7 } == .dataBits)
        #expect(found { $0.byteSize = 9 } == .dataBits)
        #expect(found { $0.parityCode = 0 } == .parity)
        #expect(found { $0.stopBitsCode = 2 } == .stopBits)
        #expect(found { $0.rtsControl = .enabled } == .flowControl)
        #expect(found { $0.flags.remove(.outputNeedsCts) } == .flowControl)
        #expect(found { $0.flags.insert(.outputNeedsDsr) } == .flowControl)
        #expect(found(.wine) { $0.rtsControl = .enabled } == nil)
        #expect(found(.wine) { $0.flags.remove(.outputNeedsCts) } == .flowControl)
        #expect(found(.wine) { $0.parityCode = 0 } == .parity)
        #expect(found(.winesPseudoTerminal) { $0.parityCode = 0 } == nil)
        #expect(found(.winesPseudoTerminal) { $0.baudRate = 9_600 } == .baud)
    }

    @Test("What no driver can do is refused by name") func impossible() {
        func refused(_ change: (inout SerialSettings) -> Void) -> SerialSetting? {
            var settings = SerialSettings()
            change(&settings)
            return Dcb.impossible(in: settings)
        }
        #expect(refused { _ in } == nil)
        #expect(refused { $0.baud = 0 } == .baud)
        #expect(refused { $0.stopBits = .onePointFive } == .stopBits)
        #expect(refused { ($0.stopBits, $0.dataBits) = (.two, .five) } == .stopBits)
        #expect(refused { ($0.stopBits, $0.dataBits) = (.onePointFive, .five) } == nil)
        #expect(refused { $0.isExclusive = false } == .exclusive)
        #expect(refused { $0.lowLatency = true } == .lowLatency)
        #expect(refused { $0.rs485 = RS485() } == .rs485)
    }

    @Test("Reads end with the first bytes and by nothing else, in the words of each system") func timeouts() {
        let windows = CommTimeouts.untilFirstBytes(onWine: false)
        #expect((windows.readInterval, windows.readMultiplier, windows.readConstant) == (.max, .max, .max - 1))
        let wine = CommTimeouts.untilFirstBytes(onWine: true)
        #expect((wine.readInterval, wine.readMultiplier, wine.readConstant) == (.max, 0, 0))
        for timeouts in [windows, wine] { #expect((timeouts.writeMultiplier, timeouts.writeConstant) == (0, 0)) }
    }

    @Test("What a driver tells is an event each") func events() {
        let all: ModemLines = [.cts, .dsr, .ri, .cd]
        #expect(Win32SerialEvents.events(0x138, errors: 0, lines: [.cts]) == [.linesChanged(all, now: [.cts])])
        #expect(Win32SerialEvents.events(0x8, errors: 0, lines: []) == [.linesChanged([.cts], now: [])])
        #expect(Win32SerialEvents.events(0x40, errors: 0x10, lines: []) == [.breakReceived])
        #expect(
            Win32SerialEvents.events(0x80, errors: 0xF, lines: []) == [.parityError, .framingError, .overrun, .bufferOverrun])
        #expect(Win32SerialEvents.events(0, errors: 0, lines: []).isEmpty)
        #expect(Win32SerialEvents.mask == 0x1F8)
    }
}
