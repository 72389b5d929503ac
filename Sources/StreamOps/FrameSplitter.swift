internal import LoopCore

/// Finds frames in a stream of bytes: what ``ByteStream/frames(by:timeout:interByte:)`` goes by.
///
/// It is shown what has come so far, from the first byte that is not part of a frame yet, each time there is more.
public protocol FrameSplitter: Sendable {
    /// What the bytes are. Bytes that were taken are not shown again; where more are needed the same come again, with others behind them.
    mutating func split(_ bytes: RawSpan) -> FrameSplit
}

/// What a ``FrameSplitter`` says of the bytes it is shown.
public enum FrameSplit: Hashable, Sendable {
    /// A frame, and how many bytes it took with everything that belongs to it.
    case frame([UInt8], taken: Int)
    /// No frame is whole yet.
    case needsMore
    /// The first bytes are part of no frame: skip so many, one at least.
    case skip(Int)
}

/// Lines, without their ends: a line feed, and a carriage return before it if there is one.
public struct LineSplitter: FrameSplitter {
    private var delimiters = DelimiterSplitter([0x0A])

    /// Lines of at most so many bytes; longer ones are cut there.
    public init(limit: Int = 65_536) { delimiters = DelimiterSplitter([0x0A], limit: limit) }

    /// As ``FrameSplitter/split(_:)`` says.
    public mutating func split(_ bytes: RawSpan) -> FrameSplit {
        guard case .frame(var line, let taken) = delimiters.split(bytes) else { return .needsMore }
        if line.last == 0x0D, line.count < taken { line.removeLast() }
        return .frame(line, taken: taken)
    }
}

/// Frames that end with the same bytes, which are not part of them.
public struct DelimiterSplitter: FrameSplitter {
    private let limit: Int
    private var search: DelimiterSearch

    /// Frames of at most so many bytes with their end; longer ones are cut there.
    public init(_ delimiter: [UInt8], limit: Int = 65_536) {
        guard !delimiter.isEmpty, limit >= delimiter.count else { trap("A delimiter has one byte at least, and fits into the limit.") }
        self.limit = limit
        search = DelimiterSearch(delimiter)
    }

    /// As ``FrameSplitter/split(_:)`` says.
    public mutating func split(_ bytes: RawSpan) -> FrameSplit {
        let end = search.end(in: bytes, limit: limit)
        guard end != nil || bytes.byteCount >= limit else { return .needsMore }
        search.restart()
        let taken = end ?? limit
        return .frame(bytes.copied(0..<(end.map { $0 - search.delimiter.count } ?? limit)), taken: taken)
    }
}

/// Frames of one length.
public struct FixedSplitter: FrameSplitter {
    private let length: Int

    /// Frames of so many bytes, one at least.
    public init(_ length: Int) {
        guard length > 0 else { trap("A frame has one byte at least, not \(length).") }
        self.length = length
    }

    /// As ``FrameSplitter/split(_:)`` says.
    public mutating func split(_ bytes: RawSpan) -> FrameSplit {
        bytes.byteCount < length ? .needsMore : .frame(bytes.copied(0..<length), taken: length)
    }
}

/// Frames that begin with their own length, which is not part of them.
public struct LengthSplitter: FrameSplitter {
    private let width: Int
    private let isBigEndian: Bool
    private let limit: Int

    /// A length of 1 to 4 bytes; a frame that says it is longer than `limit` is no frame, and its first byte is skipped.
    public init(width: Int, isBigEndian: Bool = true, limit: Int = 65_536) {
        guard (1...4).contains(width) else { trap("A frame's length has 1 to 4 bytes, not \(width).") }
        self.width = width
        self.isBigEndian = isBigEndian
        self.limit = limit
    }

    /// As ``FrameSplitter/split(_:)`` says.
    public mutating func split(_ bytes: RawSpan) -> FrameSplit {
        guard bytes.byteCount >= width else { return .needsMore }
        let length = (0..<width).reduce(0) { sum, place in
            sum << 8 | Int(bytes.byte(at: isBigEndian ? place : width - 1 - place))
        }
        guard length <= limit else { return .skip(1) }
        guard bytes.byteCount - width >= length else { return .needsMore }
        return .frame(bytes.copied(width..<width + length), taken: width + length)
    }
}

/// Frames of SLIP (RFC 1055): an END behind each, and what would look like one inside it escaped. Empty frames are none.
public struct SlipSplitter: FrameSplitter {
    private let limit: Int
    private static let end: UInt8 = 0xC0
    private static let escape: UInt8 = 0xDB
    private static let escapedEnd: UInt8 = 0xDC
    private static let escapedEscape: UInt8 = 0xDD
    private var search = DelimiterSearch([0xC0])

    /// Frames of at most so many bytes as they are on the line; what is longer is skipped.
    public init(limit: Int = 65_536) { self.limit = limit }

    /// As ``FrameSplitter/split(_:)`` says.
    public mutating func split(_ bytes: RawSpan) -> FrameSplit {
        guard let end = search.end(in: bytes, limit: limit) else {
            guard bytes.byteCount >= limit else { return .needsMore }
            search.restart()
            return .skip(limit)
        }
        search.restart()
        guard let frame = Self.decoded(bytes, end - 1), !frame.isEmpty else { return .skip(end) }
        return .frame(frame, taken: end)
    }

    /// A frame as it goes on the line, with an END before it that ends whatever noise there was.
    public static func encoded(_ frame: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [end]
        for byte in frame {
            switch byte {
            case end: bytes += [escape, escapedEnd]
            case escape: bytes += [escape, escapedEscape]
            default: bytes.append(byte)
            }
        }
        return bytes + [end]
    }

    /// Nil where an escape is followed by what it cannot be.
    private static func decoded(_ bytes: RawSpan, _ count: Int) -> [UInt8]? {
        var frame: [UInt8] = []
        var isEscaped = false
        for place in 0..<count {
            let byte = bytes.byte(at: place)
            if isEscaped {
                guard byte == escapedEnd || byte == escapedEscape else { return nil }
                frame.append(byte == escapedEnd ? end : escape)
                isEscaped = false
            } else if byte == escape {
                isEscaped = true
            } else {
                frame.append(byte)
            }
        }
        return isEscaped ? nil : frame
    }
}
