/// Why bytes are no commands. Nothing behind them can be understood.
struct ProtocolError: Error {
    let sentence: String
}

/// Takes commands out of the bytes of a connection, however these are cut: arrays of strings, and lines that a person types.
struct RespParser {
    static let argumentsMax = 1_024
    static let argumentBytesMax = 1 << 20
    static let lineBytesMax = 65_536
    /// Of one whole command: what a connection may keep without having said anything.
    static let commandBytesMax = 4 << 20

    private var bytes: [UInt8] = []
    /// Bytes of whole commands.
    private var taken = 0

    mutating func feed(_ more: [UInt8]) {
        bytes.removeFirst(taken)
        taken = 0
        bytes += more
    }

    /// The next command, its name first; nil where it is not whole yet.
    mutating func next() throws(ProtocolError) -> [[UInt8]]? {
        while taken < bytes.count {
            var place = taken
            let command = try bytes[place] == UInt8(ascii: "*") ? array(&place) : inline(&place)
            guard let command else {
                if bytes.count - taken > Self.commandBytesMax { throw ProtocolError(sentence: "too long a command") }
                return nil
            }
            taken = place
            // An empty line, or an array of nothing, asks for nothing.
            if !command.isEmpty { return command }
        }
        return nil
    }

    private func inline(_ place: inout Int) throws(ProtocolError) -> [[UInt8]]? {
        guard let line = try line(&place) else { return nil }
        return line.split(separator: UInt8(ascii: " ")).map(Array.init)
    }

    private func array(_ place: inout Int) throws(ProtocolError) -> [[UInt8]]? {
        guard let count = try number(after: "*", Self.argumentsMax, &place) else { return nil }
        // Where they are: nothing is copied before all are there, however small the pieces they come in.
        var places: [Range<Int>] = []
        for _ in 0..<count {
            guard let length = try number(after: "$", Self.argumentBytesMax, &place), bytes.count - place >= length + 2 else { return nil }
            places.append(place..<place + length)
            guard bytes[place + length] == 13, bytes[place + length + 1] == 10 else { throw ProtocolError(sentence: "a string is longer") }
            place += length + 2
        }
        return places.map { Array(bytes[$0]) }
    }

    /// A line that says how many there are of what follows.
    private func number(after sign: Character, _ max: Int, _ place: inout Int) throws(ProtocolError) -> Int? {
        guard let line = try line(&place) else { return nil }
        let text = String(decoding: line, as: UTF8.self)
        guard text.first == sign, let number = Int(text.dropFirst()), (0...max).contains(number) else {
            throw ProtocolError(sentence: "expected '\(sign)' and a number up to \(max)")
        }
        return number
    }

    private func line(_ place: inout Int) throws(ProtocolError) -> ArraySlice<UInt8>? {
        guard let end = bytes[place...].prefix(Self.lineBytesMax).firstIndex(of: 10) else {
            if bytes.count - place >= Self.lineBytesMax { throw ProtocolError(sentence: "too long a line") }
            return nil
        }
        defer { place = end + 1 }
        return end > place && bytes[end - 1] == 13 ? bytes[place..<end - 1] : bytes[place..<end]
    }
}
