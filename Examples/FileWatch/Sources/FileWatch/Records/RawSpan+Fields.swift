// Kernel records are read through these two and nothing else. What is not all there is nil: no offset that a record claims is believed.

extension RawSpan {
    /// The number at an offset, in the machine's byte order; nil where the span ends before it does.
    // SAFETY: the place was checked, and every pattern of bits is a number.
    func number<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type, at offset: Int) -> Number? {
        guard offset >= 0, offset <= byteCount - MemoryLayout<Number>.size else { return nil }
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type)
    }

    /// The numbers that fill a range; nil where the range is not the span's, or is not filled by whole ones.
    func numbers<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type, at offset: Int, byteCount: Int) -> [Number]? {
        let size = MemoryLayout<Number>.size
        guard byteCount >= 0, byteCount % size == 0, offset >= 0, byteCount <= self.byteCount - offset else { return nil }
        var found: [Number] = []
        found.reserveCapacity(byteCount / size)
        for place in stride(from: offset, to: offset + byteCount, by: size) {
            guard let number = number(type, at: place) else { return nil }
            found.append(number)
        }
        return found
    }
}
