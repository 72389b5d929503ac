/// The name of an entry of a directory, exactly as the system spells it.
///
/// It is bytes, because a name need not be text. On Linux they are the name's own; on Windows its UTF-16 as UTF-8, with three bytes for a
/// half of a surrogate pair that stands alone (WTF-8). A name that is text equals its literal.
public struct FileName: Hashable, Sendable {
    /// The name's bytes, without a NUL.
    public let bytes: [UInt8]

    /// The name with these bytes.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// The name with these UTF-16 code units.
    init(utf16 units: [UInt16]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(units.count)
        var place = 0
        while place < units.count {
            var scalar = UInt32(units[place])
            place += 1
            if scalar & 0xFC00 == 0xD800, place < units.count, units[place] & 0xFC00 == 0xDC00 {
                scalar = 0x1_0000 + ((scalar & 0x3FF) << 10 | UInt32(units[place] & 0x3FF))
                place += 1
            }
            bytes.appendUTF8(scalar)
        }
        self.bytes = bytes
    }
}

extension FileName: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) { bytes = [UInt8](text.utf8) }
}

extension FileName: CustomStringConvertible {
    /// For people: what is not text is shown as �.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension [UInt8] {
    /// A scalar, or half of a surrogate pair, in as many bytes as UTF-8 gives its size.
    fileprivate mutating func appendUTF8(_ scalar: UInt32) {
        func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(scalar >> shift & 0x3F) }
        switch scalar {
        case ..<0x80: append(UInt8(scalar))
        case ..<0x800: append(contentsOf: [0xC0 | UInt8(scalar >> 6), tail(0)])
        case ..<0x1_0000: append(contentsOf: [0xE0 | UInt8(scalar >> 12), tail(6), tail(0)])
        default: append(contentsOf: [0xF0 | UInt8(scalar >> 18), tail(12), tail(6), tail(0)])
        }
    }
}
