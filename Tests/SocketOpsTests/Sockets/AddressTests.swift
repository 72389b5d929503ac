import LoopCore
import Testing

@testable import SocketOps

@Suite("Addresses") struct AddressTests {
    @Test(
        "What people write is read, and written in its shortest form",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("::1", "::1"), ("2001:db8::7", "2001:db8::7"),
            ("2001:0DB8:0:0:0:0:0:7", "2001:db8::7"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1::8", "1::8"), ("fe80::1%2", "fe80::1%2"),
            ("::ffff:192.0.2.7", "::ffff:192.0.2.7"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("0:1:0:1:0:1:0:1", "0:1:0:1:0:1:0:1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ])
    func text(written: String, read: String) throws {
        let address = try #require(IPAddress(written))
        #expect(address.description == read)
        #expect(IPAddress(address.description) == address)
    }

    @Test(
        "What is no address is none",
        arguments: [
            "", ".", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "a.b.c.d", ":", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9",
            "12345::",
            "::1%", "::1%eth0", "::1%99999999999", "1.2.3.4%1", "g::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:1.2.3.4:8", "::1.2.3", "localhost",
            "-1.2.3.4",
            "1:2:3:4::5:6:7:8",
        ])
    func nonsense(text: String) { #expect(IPAddress(text) == nil) }

    @Test("An address survives the system's form", arguments: ["192.0.2.7", "2001:db8::7", "fe80::1%7"])
    func native(text: String) throws {
        let ip = try #require(IPAddress(text))
        let address = SocketAddress(ip, port: 0xABCD)
        #expect(address.ip == ip)
        #expect(address.port == 0xABCD)
        #expect(address.path == nil)
        #expect(address.length == (ip.isVersion6 ? 28 : 16))
    }

    @Test("Names of the file system, and those that are none") func paths() throws {
        let path = try #require(SocketAddress(path: Array("/tmp/x".utf8)))
        #expect(path.path == Array("/tmp/x".utf8))
        #expect(path.text == "/tmp/x")
        #expect(path.ip == nil && path.port == nil)
        let hidden = try #require(SocketAddress(path: [0, 0x61]))
        #expect(hidden.path == [0, 0x61])
        #expect(SocketAddress(path: []) == nil)
        #expect(SocketAddress(path: [0x61, 0, 0x61]) == nil)
        #expect(SocketAddress(path: [UInt8](repeating: 0x61, count: 107)) != nil)
        #expect(SocketAddress(path: [UInt8](repeating: 0x61, count: 108)) == nil)
    }

    @Test("What the numbers of an address are shown as") func shown() throws {
        #expect(SocketAddress(.loopback4, port: 80).text == "127.0.0.1:80")
        #expect(SocketAddress(.loopback6, port: 80).text == "[::1]:80")
        #expect(SocketAddress().text == "no address")
    }

    @Test("The versions take turns, and keep their order") func turns() throws {
        let four = try ["1.1.1.1", "1.1.1.2", "1.1.1.3"].map { SocketAddress(try #require(IPAddress($0)), port: 1) }
        let six = try ["::1", "::2"].map { SocketAddress(try #require(IPAddress($0)), port: 1) }
        let mixed = ConnectRace.interleaved([six[0], six[1], four[0], four[1], four[2]]).compactMap { $0.ip?.description }
        #expect(mixed == ["::1", "1.1.1.1", "::2", "1.1.1.2", "1.1.1.3"])
        #expect(ConnectRace.interleaved([]).isEmpty)
    }
}
