import Rfc2217

/// A stream with everything in it, and what it says.
let sample: [UInt8] =
    Array("ab".utf8) + [255, 255] + [255, 251, 44] + [0, 13, 10] + [255, 253, 0] + Telnet.subnegotiation(44, [1, 0, 0, 255, 240])
    + [255, 241] + [255, 250, 24, 255, 240] + [240, 250] + [255, 254, 255] + Telnet.subnegotiation(44, [12, 3]) + [1]

let sampleEvents: [TelnetEvent] = [
    .data([0x61, 0x62, 255]), .option(.will, 44), .data([0, 13, 10]), .option(.do, 0), .subnegotiation(44, [1, 0, 0, 255, 240]),
    .command(241), .subnegotiation(24, []), .data([240, 250]), .option(.dont, 255), .subnegotiation(44, [12, 3]), .data([1]),
]

/// The events of pieces, where data that was cut is one again.
func events(_ pieces: [some Sequence<UInt8>]) -> [TelnetEvent] {
    var parser = TelnetParser()
    var joined: [TelnetEvent] = []
    for event in pieces.flatMap({ parser.parse($0) }) {
        if case .data(let more) = event, case .data(let before) = joined.last {
            joined[joined.count - 1] = .data(before + more)
        } else {
            joined.append(event)
        }
    }
    return joined
}

/// The same numbers each time.
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        let mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        return mixed ^ mixed >> 29
    }

    /// Bytes of which every third means something to Telnet.
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            next() % 3 == 0 ? [255, 240, 250, 251, 252, 253, 254, 44].randomElement(using: &self) ?? 0 : UInt8(truncatingIfNeeded: next())
        }
    }

    /// The same bytes in pieces of all sizes.
    mutating func pieces(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var (rest, pieces) = (bytes[...], [ArraySlice<UInt8>]())
        while !rest.isEmpty {
            let count = Int.random(in: 0...12, using: &self)
            pieces.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}
