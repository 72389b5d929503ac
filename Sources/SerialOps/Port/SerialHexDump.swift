import LoopCore
import StreamOps

/// Lines of a log in which bytes are hexadecimal and text side by side, for a port's tap:
///
/// ```swift
/// await port.setTap(SerialHexDump.tap { print($0) })
/// //    0.001204 > 41 54 0d                                         AT.
/// //    0.014822 < 4f 4b 0d 0a                                      OK..
/// ```
public enum SerialHexDump {
    /// A tap that writes lines, with the seconds since the first of them.
    public static func tap(_ write: @escaping (String) -> Void) -> SerialTap {
        var began: MonotonicInstant?
        return { direction, instant, bytes in
            let first = began ?? instant
            began = first
            lines(bytes, direction, microseconds: instant.nanoseconds(since: first) / 1_000).forEach(write)
        }
    }

    /// The lines for some bytes, sixteen in each.
    public static func lines(_ bytes: RawSpan, _ direction: SerialDirections, microseconds: UInt64) -> [String] {
        stride(from: 0, to: bytes.byteCount, by: 16).map { start in
            let row = (start..<min(start + 16, bytes.byteCount)).map { bytes.byte(at: $0) }
            let hex = row.map { padded(String($0, radix: 16), 2, "0") }.joined(separator: " ")
            let text = row.map { (0x20..<0x7F).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
            let sign = direction == .output ? ">" : "<"
            return "\(time(microseconds)) \(sign) \(hex)\(String(repeating: " ", count: 48 - hex.utf8.count)) \(text)"
        }
    }

    private static func time(_ microseconds: UInt64) -> String {
        let fraction = padded(String(microseconds % 1_000_000), 6, "0")
        return padded("\(microseconds / 1_000_000).\(fraction)", 11, " ")
    }

    private static func padded(_ text: String, _ width: Int, _ filler: String) -> String {
        String(repeating: filler, count: max(0, width - text.utf8.count)) + text
    }
}
