internal import LoopCore

/// The answers of a trace, in words and back again.
enum TraceAnswer {
    // MARK: completions

    /// Count, error, status, severity and acquired handle; then the bytes of what came in, and the address if there is room for one.
    static func words(_ completion: Completion, _ operation: TraceBook.TracedOperation?) -> String {
        let facts = [
            completion.count, Int(completion.error.rawValue), Int(completion.status.rawValue), Int(completion.severity.rawValue),
            completion.acquired.rawValue,
        ]
        var words = facts.map { "\($0)" }.joined(separator: " ")
        guard let operation, operation.isInput else { return words }
        words += " \(hex(operation.memory.bytes(0..<max(0, completion.count))))"
        guard let address = operation.memory.address else { return words }
        words += " \(address.length)"
        for word in 0..<wordCount(address) { words += ".\(address.storage[word])" }
        return words
    }

    /// The completion; the bytes and the address are written where the operation has them.
    static func completion(_ words: ArraySlice<Substring>, _ operation: TraceBook.TracedOperation?) -> Completion? {
        let facts = words.prefix(5).map { Int($0) ?? 0 }
        guard facts.count == 5, let severity = Severity(rawValue: UInt8(clamping: facts[3])) else { return nil }
        let rest = words.dropFirst(5)
        if let operation, let first = rest.first {
            operation.memory.put(bytes(first)[...])
            if let second = rest.dropFirst().first { operation.memory.address = address(second) }
        }
        return Completion(
            count: facts[0], error: SystemCode(rawValue: Int32(truncatingIfNeeded: facts[1])),
            status: RawStatus(rawValue: UInt32(truncatingIfNeeded: facts[2])), severity: severity,
            acquired: NativeHandle(rawValue: facts[4]))
    }

    private static func wordCount(_ address: SocketAddress) -> Int { (Int(min(address.length, 128)) + 7) / 8 }

    private static func address(_ text: Substring) -> SocketAddress {
        let numbers = text.split(separator: ".").map { UInt64($0) ?? 0 }
        var address = SocketAddress()
        address.length = UInt32(truncatingIfNeeded: numbers.first ?? 0)
        for (word, number) in numbers.dropFirst().prefix(16).enumerated() { address.storage[word] = number }
        return address
    }

    // MARK: answers of verbs

    static func words(_ submission: Submission, _ operation: TraceBook.TracedOperation?) -> String {
        switch submission {
        case .owesPacket: "owes"
        case .completed(let completion): "done \(words(completion, operation))"
        case .refused(let code): "refused \(code.rawValue)"
        }
    }

    static func submission(_ answer: String, _ operation: TraceBook.TracedOperation?) -> Submission? {
        let words = answer.split(separator: " ")
        switch words.first {
        case "owes": return .owesPacket
        case "done": return completion(words.dropFirst(), operation).map { .completed($0) }
        case "refused": return .refused(SystemCode(rawValue: Int32(words.last ?? "") ?? 0))
        default: return nil
        }
    }

    static func words(_ answer: CancelAnswer) -> String {
        switch answer {
        case .requested: "requested"
        case .notFound: "unknown"
        case .refused(let code): "refused \(code.rawValue)"
        }
    }

    static func cancel(_ answer: String) -> CancelAnswer {
        let words = answer.split(separator: " ")
        switch words.first {
        case "requested": return .requested
        case "refused": return .refused(SystemCode(rawValue: Int32(words.last ?? "") ?? 0))
        default: return .notFound
        }
    }

    /// The refusals that a program can tell apart by what it does next; the numbers are this file's own.
    static func words(_ error: AssociationError) -> String {
        switch error {
        case .alreadyAssociated: "refused already"
        case .boundElsewhere: "refused elsewhere"
        case .notOverlapped: "refused synchronous"
        case .skipsPackets: "refused skipping"
        case .blocking: "refused blocking"
        case .console: "refused console"
        case .directory: "refused directory"
        case .badHandle: "refused bad"
        case .tooMany(let limit): "refused many \(limit)"
        case .closed: "refused closed"
        case .forked: "refused forked"
        case .system(let code): "refused system \(code.rawValue)"
        }
    }

    static func association(_ answer: String) -> AssociationError? {
        let words = answer.split(separator: " ")
        guard words.first == "refused", words.count > 1 else { return nil }
        switch words[1] {
        case "already": return .alreadyAssociated
        case "elsewhere": return .boundElsewhere
        case "synchronous": return .notOverlapped
        case "skipping": return .skipsPackets
        case "blocking": return .blocking
        case "console": return .console
        case "directory": return .directory
        case "bad": return .badHandle
        case "many": return .tooMany(limit: words.last.flatMap { Int($0) } ?? 0)
        case "closed": return .closed
        case "forked": return .forked
        default: return .system(SystemCode(rawValue: Int32(words.last ?? "") ?? 0))
        }
    }

    // MARK: bytes

    private static func hex(_ bytes: [UInt8]) -> String {
        guard !bytes.isEmpty else { return "-" }
        var text = ""
        for byte in bytes { text += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }
        return text
    }

    private static func bytes(_ hex: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in hex.utf8 {
            let value = digit <= UInt8(ascii: "9") ? digit &- UInt8(ascii: "0") : digit &- UInt8(ascii: "a") &+ 10
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else if digit != UInt8(ascii: "-") {
                high = value
            }
        }
        return bytes
    }
}
