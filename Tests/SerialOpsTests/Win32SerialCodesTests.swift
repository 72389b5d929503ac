import Foundation
import Testing

@testable import SerialOps

@Suite("Codes of Windows") struct Win32SerialCodesTests {
    /// The rows of the table in docs/Serial.md whose second column is a name of winerror.h, without the empty ends.
    private static func rows(columns: Int) throws -> [[String]] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/Serial.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        return rows.filter { $0.count == columns && $0[1].hasPrefix("ERROR_") }
    }

    @Test("The table in docs/Serial.md says what becomes of each code") func table() throws {
        let rows = try Self.rows(columns: 4)
        let general = rows.filter { name(of: $0[3]) == nil }
        var listed: Set<UInt32> = []
        for row in general {
            let code = try #require(UInt32(row[0]))
            #expect(listed.insert(code).inserted)
            #expect(word(Win32SerialCodes.opening(code, "COM1")) == row[2], "opening: \(row)")
            #expect(word(Win32SerialCodes.control(code, .read)) == row[3], "afterwards: \(row)")
            #expect(Win32SerialCodes.isGone(code) == (row[3] == "disconnected"))
        }
        #expect(listed.count == 16)
        for code in UInt32(0)...2_000 where !listed.contains(code) {
            #expect(word(Win32SerialCodes.opening(code, "COM1")) == "system", "\(code)")
            #expect(word(Win32SerialCodes.control(code, .write)) == "system", "\(code)")
        }
        for row in rows {
            guard let setting = name(of: row[3]) else { continue }
            let code = try #require(UInt32(row[0]))
            let calls = SerialCall.all.filter { row[2].split(separator: ", ").map(String.init).contains($0.name.description) }
            #expect(!calls.isEmpty)
            for call in SerialCall.all {
                let found = Win32SerialCodes.control(code, call)
                let expected: SerialSetting? = calls.contains(call) ? setting : nil
                if case .unsupportedConfiguration(let found, got: nil) = found {
                    #expect(found == expected)
                } else {
                    #expect(expected == nil)
                }
            }
        }
    }

    @Test("What answers no question about ports is no port, and what is gone is gone") func strangers() {
        for code: UInt32 in [1, 6, 50, 87, 120] {
            #expect(Win32SerialCodes.asking(code, "NUL") == .notASerialPort("NUL"))
        }
        #expect(Win32SerialCodes.asking(31, "COM1") == .disconnected)
        #expect(word(Win32SerialCodes.asking(8, "COM1")) == "system")
    }

    private func name(of text: String) -> SerialSetting? {
        guard text.hasPrefix("unsupportedConfiguration") else { return nil }
        return text.contains("baud") ? .baud : .lines
    }

    private func word(_ error: SerialError) -> String {
        switch error {
        case .notFound: "notFound"
        case .busy: "busy"
        case .disconnected: "disconnected"
        case .system: "system"
        default: "another"
        }
    }
}

extension SerialCall {
    fileprivate static let all: [SerialCall] = [.open, .configure, .read, .write, .drain, .discard, .lines, .sendBreak, .events, .queues]
}
