import Glibc
import LoopCore
import Testing

@testable import SerialOps

@Suite("The list of ports") struct DiscoveryTests {
    @Test("Ports come in the order of their names, without ghosts, consoles and pseudo terminals") func order() throws {
        let machine = try FakePorts()
        for (name, type) in [("ttyS10", 4), ("ttyS2", 4), ("ttyS0", 0)] { try machine.addUART(name, type: type) }
        for name in ["tty0", "ptmx", "console"] { try machine.addTerminal(name, on: nil, [:]) }
        try machine.addTerminal("ttyGS0", on: nil, [:])
        try machine.plugIn(FakePorts.Adapter())
        let ports = try machine.source.ports()
        #expect(ports.map(\.path) == ["ttyGS0", "ttyS2", "ttyS10", "ttyUSB0"].map(machine.path))
        #expect(ports.map(\.kind) == [.gadget, .builtIn, .builtIn, .usb])
        #expect(ports.map(\.driver) == [nil, "serial", "serial", "ftdi_sio"])
    }

    @Test("A USB device says who it is, where it is, and which of its functions this is") func usb() throws {
        let machine = try FakePorts()
        try machine.plugIn(
            FakePorts.Adapter(vendor: "10c4", product: "ea60", serial: "0001", socket: "3-1", interface: "02", name: "ttyUSB7"))
        let info = try #require(try machine.source.ports().first)
        #expect(info.vendorID == 0x10C4 && info.productID == 0xEA60)
        #expect(info.serialNumber == "0001" && info.manufacturer == "Maker" && info.product == "Model")
        #expect(info.location == "3-1" && info.interfaceNumber == 2)
        #expect(machine.source.port(at: machine.path("ttyUSB7")) == info)
        #expect(machine.source.port(at: machine.path("ttyUSB8")) == nil)
        #expect(machine.source.port(at: "/etc/passwd") == nil)
    }

    @Test("A port without a node is none") func nodeless() throws {
        let machine = try FakePorts()
        try machine.plugIn(FakePorts.Adapter())
        // SAFETY: the path ends with a NUL for the time of the call.
        unsafe unlink("\(machine.path("ttyUSB0"))")
        #expect(try machine.source.ports().isEmpty)
    }

    @Test("Without sysfs the list is an error, not empty") func noSysfs() {
        #expect(throws: SerialError.system(.list, SystemCode(rawValue: ENOENT))) {
            try LinuxSerialPortSource(sys: "/nowhere", dev: "/nowhere").ports()
        }
    }

    @Test("The list of this machine comes from a helper thread, and every path in it is a device") func real() throws {
        let ports = try onLoop { loop in try await SerialPort.list(on: loop) }
        for port in ports { #expect(unsafe access("\(port.path)", F_OK) == 0) }
    }

    @Test("A list that is cancelled says so") func cancelled() throws {
        try onLoop { loop in
            let lister = loop.spawn { _ async in await result { () async throws(SerialError) in try await SerialPort.list(on: loop) } }
            lister.cancel()
            #expect(await lister.value == .failure(.cancelled(.list, moved: 0)))
        }
    }

    // MARK: identity

    @Test("A serial number tells a device wherever it is, a socket tells one without, a path tells what is no USB device") func identity() {
        var info = SerialPortInfo(path: "/dev/ttyUSB0", kind: .usb)
        (info.vendorID, info.productID, info.interfaceNumber) = (1, 2, 0)
        (info.serialNumber, info.location) = ("A1", "1-1")
        var elsewhere = info
        (elsewhere.path, elsewhere.location) = ("/dev/ttyUSB5", "2-7")
        #expect(info.identity.matches(elsewhere))
        var other = elsewhere
        other.serialNumber = "A2"
        #expect(!info.identity.matches(other))
        other = elsewhere
        other.interfaceNumber = 1
        #expect(!info.identity.matches(other))

        info.serialNumber = nil
        elsewhere.serialNumber = nil
        #expect(!info.identity.matches(elsewhere))
        elsewhere.location = "1-1"
        #expect(info.identity.matches(elsewhere))

        let uart = SerialPortInfo(path: "/dev/ttyS0", kind: .builtIn)
        #expect(uart.identity.matches(uart) && !uart.identity.matches(info))
    }

    @Test("What an identity leaves open may be anything") func model() {
        var info = SerialPortInfo(path: "/dev/ttyUSB0", kind: .usb)
        (info.vendorID, info.productID, info.serialNumber) = (1, 2, "A1")
        #expect(SerialIdentity(vendorID: 1, productID: 2).matches(info))
        #expect(!SerialIdentity(vendorID: 1, productID: 3).matches(info))
        #expect(!SerialIdentity(vendorID: 1, productID: 2, serialNumber: "A2").matches(info))
    }
}
