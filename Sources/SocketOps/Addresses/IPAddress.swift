internal import LoopCore

/// An address of the internet protocol, of either version.
///
/// ```swift
/// let router = IPAddress("192.0.2.1")
/// let local = IPAddress("fe80::1%2")
/// ```
public struct IPAddress: Hashable, Sendable {
    /// Four bytes, or sixteen.
    public let bytes: [UInt8]
    /// Which of the machine's interfaces an address of a link is on; zero where that is not said.
    public let scope: UInt32

    /// An address with these four or sixteen bytes.
    public init?(bytes: [UInt8], scope: UInt32 = 0) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
        self.scope = scope
    }

    private init(known bytes: [UInt8]) {
        self.bytes = bytes
        scope = 0
    }

    /// Whether it is one of version 6.
    public var isVersion6: Bool { bytes.count == 16 }

    /// This machine, by version 4.
    public static let loopback4 = IPAddress(known: [127, 0, 0, 1])
    /// This machine, by version 6.
    public static let loopback6 = IPAddress(known: Array(repeating: 0, count: 15) + [1])
    /// Every address of this machine, of version 4.
    public static let any4 = IPAddress(known: [0, 0, 0, 0])
    /// Every address of this machine; of both versions, where a listener is not told otherwise.
    public static let any6 = IPAddress(known: Array(repeating: 0, count: 16))
}

// MARK: text

extension IPAddress: LosslessStringConvertible {
    /// Reads what people write: "192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "fe80::1%2" with the number of an interface. Nil for
    /// anything else, names among it.
    public init?(_ text: String) { self.init(text: Array(text.utf8)) }

    private init?(text: [UInt8]) {
        let parts = text.split(separator: UInt8(ascii: "%"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first else { return nil }
        if parts.count == 1, let four = IPAddress.version4(address) {
            self.init(bytes: four)
            return
        }
        guard let sixteen = IPAddress.version6(address) else { return nil }
        guard parts.count == 2 else {
            self.init(bytes: sixteen)
            return
        }
        guard let scope = IPAddress.number(parts[1], base: 10, digitsMax: 10, max: UInt64(UInt32.max)) else { return nil }
        self.init(bytes: sixteen, scope: UInt32(scope))
    }

    private static func version4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            // A zero in front would be octal to some systems, and decimal to others.
            guard part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            guard let value = number(part, base: 10, digitsMax: 3, max: 255) else { return nil }
            bytes.append(UInt8(value))
        }
        return bytes
    }

    private static func version6(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard let gap = firstGap(in: text) else {
            guard let words = words(text), words.count == 16 else { return nil }
            return words
        }
        guard let front = words(text[..<gap]), let back = words(text[(gap + 2)...]) else { return nil }
        guard front.count + back.count <= 14 else { return nil }
        return front + Array(repeating: 0, count: 16 - front.count - back.count) + back
    }

    private static func firstGap(in text: ArraySlice<UInt8>) -> Int? {
        let colon = UInt8(ascii: ":")
        return text.indices.dropLast().first { text[$0] == colon && text[$0 + 1] == colon }
    }

    /// Groups of four digits, the last two of them perhaps as an address of version 4; no bytes for no text.
    private static func words(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (place, part) in parts.enumerated() {
            if place == parts.count - 1, let four = version4(part) {
                bytes += four
            } else {
                guard let value = number(part, base: 16, digitsMax: 4, max: 0xFFFF) else { return nil }
                bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }

    private static func number(_ digits: ArraySlice<UInt8>, base: UInt64, digitsMax: Int, max: UInt64) -> UInt64? {
        guard !digits.isEmpty, digits.count <= digitsMax else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            let found: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): found = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): found = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): found = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            guard UInt64(found) < base else { return nil }
            value = value * base + UInt64(found)
        }
        return value <= max ? value : nil
    }

    /// The shortest form, as RFC 5952 has it.
    public var description: String {
        guard isVersion6 else { return bytes.map { String($0) }.joined(separator: ".") }
        let text = isMapped ? "::ffff:" + bytes[12...].map { String($0) }.joined(separator: ".") : groups
        return scope == 0 ? text : "\(text)%\(scope)"
    }

    /// An address of version 4 in the clothes of version 6: what a listener for both says of its older peers.
    private var isMapped: Bool { bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF }

    private var groups: String {
        let words = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        let gap = IPAddress.longestZeros(words)
        let text = { (range: Range<Int>) in range.map { String(words[$0], radix: 16) }.joined(separator: ":") }
        guard gap.count > 1 else { return text(0..<8) }
        return "\(text(0..<gap.lowerBound))::\(text(gap.upperBound..<8))"
    }

    private static func longestZeros(_ words: [UInt16]) -> Range<Int> {
        var (longest, start) = (0..<0, 0)
        for place in 0...words.count {
            if place < words.count, words[place] == 0 { continue }
            if place - start > longest.count { longest = start..<place }
            start = place + 1
        }
        return longest
    }
}
