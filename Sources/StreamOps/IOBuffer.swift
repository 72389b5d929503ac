internal import LoopCore

/// Memory for bytes that are read or written: it has one owner, is moved and never copied, and may cross from task to task.
///
/// ```swift
/// var buffer = IOBuffer(capacity: 4096)
/// while try await stream.read(into: &buffer) > 0 {
///     try await stream.write(buffer)
///     buffer.removeAll()
/// }
/// ```
@safe public struct IOBuffer: ~Copyable, Sendable {
    private nonisolated(unsafe) let memory: UnsafeMutableRawBufferPointer
    /// Bytes in it.
    public private(set) var count = 0

    /// An empty buffer with room for so many bytes, one at least.
    // SAFETY: nobody else has the memory, and it is freed with this value.
    public init(capacity: Int) {
        guard capacity > 0 else { trap("A buffer has room for one byte at least, not for \(capacity).") }
        unsafe memory = .allocate(byteCount: capacity, alignment: 16)
    }

    // SAFETY: as above.
    deinit { unsafe memory.deallocate() }

    /// Bytes that it has memory for.
    // SAFETY: it is measured, not touched.
    public var capacity: Int { unsafe memory.count }
    /// Bytes that there is room for behind those in it.
    public var room: Int { capacity - count }
    /// Whether it has none.
    public var isEmpty: Bool { count == 0 }

    /// Lends its bytes for the time of a call.
    // SAFETY: the span ends with the call, for which this value is borrowed; bytes below `count` have been written.
    public borrowing func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try body(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: memory[..<count])))
    }

    /// Its bytes, copied.
    public borrowing func copyBytes() -> [UInt8] { withBytes { $0.copied(0..<$0.byteCount) } }

    /// Forgets all bytes; the memory stays.
    public mutating func removeAll() { count = 0 }

    /// Forgets the first bytes, and moves the others to the front.
    // SAFETY: both ranges are within the memory; the move allows for overlap.
    public mutating func removeFirst(_ number: Int) {
        guard number >= 0, number <= count else { trap("\(number) bytes were removed of \(count).") }
        let rest = unsafe UnsafeRawBufferPointer(rebasing: memory[number..<count])
        unsafe memory.copyMemory(from: rest)
        count -= number
    }

    /// Puts bytes behind those in it, as many as there is room for, and says how many those were.
    @discardableResult
    public mutating func append(_ bytes: RawSpan) -> Int {
        let number = min(bytes.byteCount, room)
        guard number > 0 else { return 0 }
        // SAFETY: the number is that of the smaller of the two.
        unsafe bytes.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: .init(rebasing: $0[..<number]))
        }
        count += number
        return number
    }

    /// As ``append(_:)-(RawSpan)``, from an array.
    // SAFETY: the span is the array's, for the time of the call.
    @discardableResult
    public mutating func append(_ bytes: [UInt8]) -> Int { unsafe bytes.withUnsafeBytes { append(unsafe RawSpan(_unsafeBytes: $0)) } }

    /// Has a function write into the room, and say how many bytes it wrote.
    // SAFETY: the memory is this value's, and lent for the time of the call.
    package mutating func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        let written = unsafe body(UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
        guard written >= 0, written <= room else {
            trap("\(written) bytes were written where there was room for \(room). This is a bug of Portloop.")
        }
        count += written
        return written
    }
}
