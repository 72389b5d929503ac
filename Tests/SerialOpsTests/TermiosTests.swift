import Testing

@testable import SerialOps

@Suite("Termios") struct TermiosTests {
    @Test("Every setting is what it was set to, when it is read back") func everySetting() {
        var seen = 0
        for settings in SerialSettings.allCombinations where settings.flowControl != .dtrDsr {
            var termios = Termios()
            termios.set(settings)
            if settings.stopBits == .two && settings.dataBits == .five || settings.stopBits == .onePointFive && settings.dataBits != .five {
                #expect(termios.difference(from: settings, isPseudo: false)?.0 == .stopBits)
            } else {
                #expect(termios.difference(from: settings, isPseudo: false) == nil)
            }
            seen += 1
        }
        #expect(seen == 4 * 5 * 3 * 3 * 2 * 4)
    }

    @Test("Bits of the driver's own survive") func survive() {
        var termios = Termios()
        termios.controlFlags = 0x2000_0000
        termios.set(SerialSettings())
        #expect(termios.controlFlags & 0x2000_0000 != 0)
    }

    @Test("A driver that keeps another speed is caught, and one that rounds is not") func speeds() {
        var settings = SerialSettings(baud: 230_400)
        var termios = Termios()
        termios.set(settings)
        termios.outputSpeed = 9_600
        #expect(termios.difference(from: settings, isPseudo: false)?.got == 9_600)
        settings.baud = 250_000
        termios.outputSpeed = 244_898
        #expect(termios.difference(from: settings, isPseudo: true) == nil)
    }
}

extension SerialSettings {
    /// Every combination of what both ends must agree on, at four speeds.
    static var allCombinations: [SerialSettings] {
        var all: [SerialSettings] = []
        for baud: UInt32 in [50, 9_600, 250_000, 4_000_000] {
            for dataBits in DataBits.allCases {
                for parity in Parity.allCases {
                    for stopBits in StopBits.allCases {
                        for flowControl in FlowControl.allCases {
                            for hangsUp in [false, true] {
                                var settings = SerialSettings(baud: baud)
                                settings.dataBits = dataBits
                                settings.parity = parity
                                settings.stopBits = stopBits
                                settings.flowControl = flowControl
                                settings.hangsUpOnClose = hangsUp
                                all.append(settings)
                            }
                        }
                    }
                }
            }
        }
        return all
    }
}
