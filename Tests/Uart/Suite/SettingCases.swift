#if PORTLOOP_LINUX
import LoopCore

@testable import SerialOps

let settingCases: [Case] = [
    Case("A 16550 that keeps its old speed above 115200 is found out") { loop in
        let error = await result { () async throws(SerialError) in
            try await SerialPort.open(Bench.uart, SerialSettings(baud: 230_400), on: loop)
        }
        guard case .failure(.unsupportedConfiguration(.baud, got: let got?)) = error else { throw Unmet("it came to \(error)") }
        try expect(got <= 115_200, "the driver said \(got)")
        // And it is free again.
        await (try await SerialPort.open(Bench.uart, SerialSettings(baud: 115_200), on: loop)).close()
    },
    Case("An FTDI adapter that does not do 4000000 is found out") { loop in
        let error = await result { () async throws(SerialError) in
            try await SerialPort.open(Bench.adapter, SerialSettings(baud: 4_000_000), on: loop)
        }
        guard case .failure(.unsupportedConfiguration(.baud, got: let got?)) = error else { throw Unmet("it came to \(error)") }
        try expect(got != 4_000_000, "the driver said \(got)")
        await (try await SerialPort.open(Bench.adapter, SerialSettings(baud: 3_000_000), on: loop)).close()
    },
    Case("Speeds that are in no table are set") { loop in
        for baud: UInt32 in [110, 1_200, 10_400, 31_250, 74_880, 115_200] {
            await (try await SerialPort.open(Bench.uart, SerialSettings(baud: baud), on: loop)).close()
        }
        for baud: UInt32 in [31_250, 74_880, 250_000, 921_600] {
            await (try await SerialPort.open(Bench.adapter, SerialSettings(baud: baud), on: loop)).close()
        }
    },
    Case("Every frame that a 16550 has is set and read back") { loop in
        for parity in Parity.allCases {
            for (dataBits, stopBits) in [
                (DataBits.five, StopBits.onePointFive), (.six, .two), (.seven, .one), (.eight, .one), (.eight, .two),
            ] {
                var settings = SerialSettings(baud: 9_600)
                (settings.parity, settings.dataBits, settings.stopBits) = (parity, dataBits, stopBits)
                await (try await SerialPort.open(Bench.uart, settings, on: loop)).close()
            }
        }
    },
    Case("An open port is set anew, and a speed that it does not do leaves it open") { loop in
        let port = try await SerialPort.open(Bench.uart, SerialSettings(baud: 9_600), on: loop)
        var settings = SerialSettings(baud: 57_600)
        settings.parity = .even
        try await port.configure(settings)
        try expectEqual(await port.settings, settings, "the settings")
        let error = await result { () async throws(SerialError) in try await port.configure(SerialSettings(baud: 1_000_000)) }
        guard case .failure(.unsupportedConfiguration(.baud, got: _)) = error else { throw Unmet("it came to \(error)") }
        try await loop.hostSends([1, 2], to: "uart")
        try expectEqual(await port.readExactly(2, timeout: .seconds(10)), [1, 2], "what came")
        await port.close()
    },
    Case("A UART that is not there is no serial port") { loop in
        try await expectError(SerialError.notASerialPort("/dev/ttyS3"), "opening") { () async throws(SerialError) in
            try await SerialPort.open("/dev/ttyS3", on: loop)
        }
    },
    Case("Low latency is set, and put back at close") { loop in
        let descriptorsBefore = try flags(Bench.adapter)
        var settings = SerialSettings()
        settings.lowLatency = true
        let port = try await SerialPort.open(Bench.adapter, settings, on: loop)
        try expect(try flags(Bench.adapter) & 0x2000 != 0, "it was not set")
        await port.close()
        try expectEqual(try flags(Bench.adapter), descriptorsBefore, "the flags")
    },
    Case("RS-485 mode is refused by a driver without it") { loop in
        var settings = SerialSettings()
        settings.rs485 = RS485()
        try await expectError(SerialError.unsupportedConfiguration(.rs485, got: nil), "opening") { () async throws(SerialError) in
            try await SerialPort.open(Bench.uart, settings, on: loop)
        }
    },
    Case("A port that is held is busy, with its holder's name") { loop in
        let port = try await SerialPort.open(Bench.uart, on: loop)
        let error = await result { () async throws(SerialError) in try await SerialPort.open(Bench.uart, on: loop) }
        guard case .failure(.busy(let holder)) = error else { throw Unmet("it came to \(error)") }
        try expectEqual(holder.program, "UartSuite", "the program")
        await port.close()
    },
]

/// The driver's flags.
private func flags(_ path: SerialText) throws -> Int32 { try BackDoor(path).driverFlags }
#endif
