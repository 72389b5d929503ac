internal import CLoopWin32
internal import SerialOps

/// The states and timeouts of a port, by the shim alone: what SerialOps writes is what the system keeps.
enum SerialStateCases {
    static let suite = Suite(
        "states of a serial port",
        [
            Case("every state that SerialOps writes is read back, as far as a terminal has it") { check throws(Unmet) in
                let peer = try SerialPeer(5)
                let comm = try RawComm("COM5")
                var tried = 0
                for settings in combinations {
                    var state = try comm.state()
                    let before = state
                    state.set(settings)
                    let code = comm.set(state)
                    guard code == 0 else {
                        check.fail("error \(code) for \(words(settings))")
                        continue
                    }
                    let found = try comm.state()
                    if let (setting, got) = found.difference(from: settings, as: .winesPseudoTerminal) {
                        check.fail("\(words(settings)): the \(setting.name) became \(got)")
                    }
                    check.expect(found.flags.contains(.binary) && found.flags.isDisjoint(with: DcbFlags.alwaysOff), "what is never on")
                    check.expect(found.length == 28 && found.eventCharacter == before.eventCharacter, "what is not ours")
                    check.expectEqual(try peer.settings(5).baud, Int(settings.baud), "the speed that the device sees")
                    tried += 1
                }
                check.expectEqual(tried, 5 * (4 * 5 * 2 + 2 * 2), "combinations")
            },
            Case("the timeouts that SerialOps writes are read back") { check throws(Unmet) in
                _ = try SerialPeer(5)
                let comm = try RawComm("COM5")
                for isOnWine in [true, false] {
                    let wished = CommTimeouts.untilFirstBytes(onWine: isOnWine)
                    try comm.set(wished)
                    check.expect(try comm.timeouts() == wished, isOnWine ? "those of Wine" : "those of Windows")
                }
            },
            Case("a read that is out of time is a packet with STATUS_TIMEOUT, and a success") { check throws(Unmet) in
                _ = try SerialPeer(5)
                let (port, comm, block) = (try RawPort(), try RawComm("COM5"), Block(bytes: 8))
                try port.associate(comm.handle, key: 7)
                try comm.endReads(after: 20)
                try check.owes("a read", comm.read(block))
                check.expectEqual(try port.next("the read", of: block), 0, "bytes")
                check.expectEqual(block.status, 0x102, "the status")
            },
            Case("a read that waits for the first bytes pends, ends with them, and with nothing else") { check throws(Unmet) in
                let peer = try SerialPeer(5)
                let (port, block) = (try RawPort(), Block(bytes: 64))
                let comm = try RawComm("COM5")
                try port.associate(comm.handle, key: 7)
                try comm.set(.untilFirstBytes(onWine: portloop_win32_is_wine() != 0))
                check.expectEqual(comm.read(block), Windows.pending, "nothing is there")
                check.expectEqual(port.wait(milliseconds: 100).code, UInt32(portloop_win32_wait_timeout), "and nothing comes")
                try peer.send(5, [9])
                check.expectEqual(try port.next("the read", of: block), 1, "bytes")
                check.expectEqual(block.status, 0, "the status")
            },
            Case("the shim knows whose system it is") { check throws(Unmet) in
                check.expectEqual(portloop_win32_is_wine(), 1, "under Wine")
            },
        ])

    /// Speeds that Wine has numbers for; flow control and sizes that it knows.
    private static var combinations: [SerialSettings] {
        var all: [SerialSettings] = []
        for baud: UInt32 in [300, 9_600, 115_200, 460_800, 3_000_000] {
            for dataBits in DataBits.allCases {
                for parity in Parity.allCases {
                    for stopBits in StopBits.allCases {
                        for flowControl: FlowControl in [.none, .xonXoff, .rtsCts] {
                            var settings = SerialSettings(baud: baud)
                            (settings.dataBits, settings.parity, settings.stopBits) = (dataBits, parity, stopBits)
                            settings.flowControl = flowControl
                            // With sizes or parity that a terminal does not have, its flow control cannot be set either.
                            let isPlain = dataBits == .eight && parity == .none
                            guard isPlain || flowControl == .none else { continue }
                            if Dcb.impossible(in: settings) == nil { all.append(settings) }
                        }
                    }
                }
            }
        }
        return all
    }

    private static func words(_ settings: SerialSettings) -> String {
        "\(settings.baud), \(settings.dataBits.rawValue) bits, parity \(settings.parity.rawValue), stop \(settings.stopBits.rawValue), "
            + "flow control \(settings.flowControl.rawValue)"
    }
}
