#if PORTLOOP_LINUX
import Portloop
import SerialOps

/// Prints the serial ports of this machine, as a table for people or as JSON for programs. The status is 0 where the list could be made.
func runList(_ options: [String]) -> Int32 {
    guard options.allSatisfy({ $0 == "--json" }) else {
        print("usage: portloop list [--json]")
        return 2
    }
    do {
        let loop = try EventLoop.native()
        defer { loop.shutdown() }
        let outcome: Result<[SerialPortInfo], SerialError> = loop.run { loop async in
            do throws(SerialError) { return .success(try await SerialPort.list(on: loop)) } catch { return .failure(error) }
        }
        let ports = try outcome.get()
        print(options.isEmpty ? table(of: ports) : json(of: ports))
        return 0
    } catch {
        print("portloop list: \(error)")
        return 1
    }
}

// MARK: the table

private let columns: [(title: String, text: @Sendable (SerialPortInfo) -> String)] = [
    ("PORT", { $0.path.description }),
    ("KIND", { "\($0.kind.name)" }),
    ("ID", { info in info.vendorID.map { "\(hexadecimal($0)):\(hexadecimal(info.productID ?? 0))" } ?? "" }),
    ("SERIAL", { $0.serialNumber?.description ?? "" }),
    ("LOCATION", { info in (info.location?.description ?? "") + (info.interfaceNumber.map { " #\($0)" } ?? "") }),
    ("DRIVER", { $0.driver?.description ?? "" }),
    ("DEVICE", { [$0.manufacturer, $0.product].compactMap { $0?.description }.joined(separator: " ") }),
]

/// One line a port, and none of a column that no port has anything for.
func table(of ports: [SerialPortInfo]) -> String {
    guard !ports.isEmpty else { return "There is no serial port." }
    let used = columns.filter { column in ports.contains { !column.text($0).isEmpty } }
    let rows = [used.map(\.title)] + ports.map { port in used.map { plain($0.text(port)) } }
    let widths = used.indices.map { index in rows.map { $0[index].count }.max() ?? 0 }
    return rows.map { row in
        let cells = zip(row, widths).map { text, width in text + String(repeating: " ", count: width - text.count) }
        let line = cells.joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
}

/// A device may say anything of itself: nothing of it reaches the terminal as a command.
private func plain(_ text: String) -> String {
    String(text.map { character in character.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } ? "?" : character })
}

private func hexadecimal(_ number: UInt16) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
}

// MARK: JSON

/// An array of objects; what is not known of a port is left out.
func json(of ports: [SerialPortInfo]) -> String {
    let objects = ports.map { port in "  {" + members(of: port).map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}" }
    return objects.isEmpty ? "[]" : "[\n\(objects.joined(separator: ",\n"))\n]"
}

private func members(of port: SerialPortInfo) -> [(String, String)] {
    let all: [(String, String?)] = [
        ("path", quoted(port.path)), ("kind", "\"\(port.kind.name)\""),
        ("vendorID", port.vendorID.map { "\($0)" }), ("productID", port.productID.map { "\($0)" }),
        ("serialNumber", quoted(port.serialNumber)), ("manufacturer", quoted(port.manufacturer)), ("product", quoted(port.product)),
        ("location", quoted(port.location)), ("interfaceNumber", port.interfaceNumber.map { "\($0)" }), ("driver", quoted(port.driver)),
    ]
    return all.compactMap { name, value in value.map { (name, $0) } }
}

private func quoted(_ text: SerialText?) -> String? {
    guard let text else { return nil }
    let characters = text.description.unicodeScalars.map { scalar in
        switch scalar {
        case "\"", "\\": "\\\(scalar)"
        case _ where scalar.value < 32: "\\u00\(scalar.value < 16 ? "0" : "")\(String(scalar.value, radix: 16))"
        default: String(scalar)
        }
    }
    return "\"\(characters.joined())\""
}
#endif
