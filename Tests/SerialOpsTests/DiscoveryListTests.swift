import Glibc
import SerialOps
import Testing

@testable import PortloopCLI

private func ports() -> [SerialPortInfo] {
    var adapter = SerialPortInfo(path: "/dev/ttyUSB0", kind: .usb)
    (adapter.vendorID, adapter.productID, adapter.interfaceNumber) = (0x0403, 0x6001, 0)
    (adapter.serialNumber, adapter.manufacturer, adapter.product) = ("A1", "Maker", "A \"quoted\"\\ \u{1B}[31mmodel")
    (adapter.location, adapter.driver) = ("1-2", "ftdi_sio")
    return [SerialPortInfo(path: "/dev/ttyS0", kind: .builtIn), adapter]
}

@Suite("portloop list") struct DiscoveryListTests {
    @Test("The table has a line for each port, and no command for the terminal") func tables() {
        #expect(
            table(of: ports()) == """
                PORT          KIND      ID         SERIAL  LOCATION  DRIVER    DEVICE
                /dev/ttyS0    built-in
                /dev/ttyUSB0  usb       0403:6001  A1      1-2 #0    ftdi_sio  Maker A "quoted"\\ ?[31mmodel
                """)
        #expect(table(of: Array(ports().prefix(1))) == "PORT        KIND\n/dev/ttyS0  built-in")
        #expect(table(of: []) == "There is no serial port.")
    }

    @Test("The JSON has an object for each port, with what is known of it") func objects() {
        #expect(
            json(of: ports()) == #"""
                [
                  {"path": "/dev/ttyS0", "kind": "built-in"},
                  {"path": "/dev/ttyUSB0", "kind": "usb", "vendorID": 1027, "productID": 24577, "serialNumber": "A1", \#
                "manufacturer": "Maker", "product": "A \"quoted\"\\ \u001b[31mmodel", "location": "1-2", "interfaceNumber": 0, \#
                "driver": "ftdi_sio"}
                ]
                """#)
        #expect(json(of: []) == "[]")
    }

    @Test("The program lists this machine's ports, and refuses what it does not know") func program() throws {
        let (listed, status) = try run("list --json")
        #expect(status == 0)
        #expect(listed.hasPrefix("[") && listed.hasSuffix("]\n"))
        #expect(try run("list --yaml").status == 2)
    }

    /// The program beside the tests' own.
    // SAFETY: realpath allocates what it returns, as a NUL-terminated string; the stream is read until its end and closed once.
    private func run(_ words: String) throws -> (output: String, status: Int32) {
        guard let path = unsafe realpath("/proc/self/exe", nil) else { throw NotStarted() }
        defer { unsafe free(path) }
        let folder = unsafe String(cString: path).split(separator: "/").dropLast().joined(separator: "/")
        guard let stream = unsafe popen("/\(folder)/portloop \(words)", "r") else { throw NotStarted() }
        var output: [UInt8] = []
        while true {
            let byte = unsafe getc(stream)
            guard byte >= 0 else { break }
            output.append(UInt8(byte))
        }
        let status = unsafe pclose(stream)
        return (String(decoding: output, as: UTF8.self), status >> 8 & 0xFF)
    }

    private struct NotStarted: Error {}
}
