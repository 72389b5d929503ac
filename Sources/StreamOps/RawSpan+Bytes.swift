internal import LoopCore

// What a function that is lent bytes does with them. The standard library has unsafe means alone.
extension RawSpan {
    /// One of the bytes. Traps where there is none at that place.
    // SAFETY: the place is checked.
    public func byte(at place: Int) -> UInt8 {
        guard place >= 0, place < byteCount else { trap("Byte \(place) was asked for of \(byteCount).") }
        return unsafe unsafeLoadUnaligned(fromByteOffset: place, as: UInt8.self)
    }

    /// Bytes of a range, copied.
    // SAFETY: the pointer is the span's, for the time of the call.
    public func copied(_ range: Range<Int>) -> [UInt8] { unsafe extracting(range).withUnsafeBytes { unsafe [UInt8]($0) } }

    /// All bytes, copied.
    public func copied() -> [UInt8] { copied(0..<byteCount) }
}
