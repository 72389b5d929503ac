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

/// What a cancel does to an operation that somebody else completes (``PreparedOp/remote(whenCancelled:_:)``).
public enum RemoteCancel: UInt8, Sendable {
    /// Nothing: who completes it is waited for, at most for the grace. For work that goes on elsewhere and uses the handle.
    case waits
    /// It ends it at once, as aborted, and a completion that comes later goes nowhere. For a wait, which uses nothing.
    case ends
}

/// Who completes an operation.
enum Completer: UInt8 {
    /// The port, or somebody who finishes whether he is asked to end or not.
    case driver
    /// Somebody, or the cancel that comes first.
    case whoeverIsFirst
    /// One of those has: the packet is on its way.
    case nobodyAnyMore
}

/// Whether the count of a completion speaks of bytes that were put into the buffer.
enum ByteFlow: UInt8 {
    case none
    case received
}

/// What a preparation says beside its handle, its capacity and its tag.
struct OperationOptions {
    var address = AddressRoom.none
    var bytesOnError = BytesOnError.withheld
    var place: SourcePlace
}

/// The line of source that prepared an operation, for `dump`. Two words: it is copied for each operation.
struct SourcePlace {
    /// The address of the characters; a number, so that a place may go from task to task.
    private let start: UInt
    private let length: UInt32
    let line: UInt32

    // SAFETY: the address is not followed here.
    @inline(__always)
    init(file: StaticString, line: UInt) {
        // `#fileID` always has characters. A literal of one, from somebody's own hand, has none to point to.
        start = file.hasPointerRepresentation ? unsafe UInt(bitPattern: file.utf8Start) : 0
        length = file.hasPointerRepresentation ? UInt32(truncatingIfNeeded: file.utf8CodeUnitCount) : 0
        self.line = UInt32(truncatingIfNeeded: line)
    }

    // SAFETY: the characters of a literal stay for as long as the process does.
    var file: String {
        let characters = unsafe UnsafeBufferPointer(start: UnsafePointer<UInt8>(bitPattern: start), count: Int(length))
        return unsafe String(decoding: characters, as: UTF8.self)
    }
}
