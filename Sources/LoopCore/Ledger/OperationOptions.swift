/// What bytes of a failed operation are worth (clause C4).
public enum BytesOnError: UInt8, Sendable {
    /// A failing request's bytes may never have reached the buffer: they stay hidden, and the outcome says how many may be lost.
    case withheld
    /// The adapter knows that its driver delivers them together with the error.
    case delivered
}

/// Whether an operation has room for a socket address.
public enum AddressRoom: UInt8, Sendable {
    case none
    case one
}

/// Whether the count of a completion speaks of bytes that were put into the buffer.
enum ByteFlow: UInt8 {
    case none
    case received
}

/// The line of source that prepared an operation, for `dump`.
struct SourcePlace {
    let file: StaticString
    let line: UInt32

    @inline(__always)
    init(file: StaticString, line: UInt) {
        self.file = file
        self.line = UInt32(truncatingIfNeeded: line)
    }
}
