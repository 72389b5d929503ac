extension Operations {
    /// Lends memory of the loop's for the time of a call: for what is read synchronously, and looked at or copied before the call returns,
    /// so that no handle needs memory of its own while it waits. A call inside such a call gets other memory.
    // SAFETY: nobody else is lent the memory while it is out, and it ends with the call.
    @inlinable
    public func withScratch<R: ~Copyable, E: Error>(_ body: (UnsafeMutableRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let memory = unsafe takeScratch()
        defer { unsafe giveBackScratch(memory) }
        return unsafe try body(memory)
    }

    // SAFETY: the core owns it again when it is given back.
    @usableFromInline
    func takeScratch() -> UnsafeMutableRawBufferPointer { unsafe core.scratch.take() }

    // SAFETY: as above.
    @usableFromInline
    func giveBackScratch(_ memory: UnsafeMutableRawBufferPointer) { unsafe core.scratch.giveBack(memory) }
}

/// The memory that a loop lends for synchronous calls: one piece, or another where that is out.
@safe final class Scratch {
    private var free: UnsafeMutableRawBufferPointer?

    /// As much as a socket's buffer usually has at once.
    static let bytes = 64 << 10

    // SAFETY: whoever takes it gives it back, and only then is it freed.
    func take() -> UnsafeMutableRawBufferPointer {
        guard let memory = unsafe free else { return .allocate(byteCount: Scratch.bytes, alignment: 64) }
        unsafe free = nil
        return unsafe memory
    }

    // SAFETY: as above.
    func giveBack(_ memory: UnsafeMutableRawBufferPointer) {
        if unsafe free == nil { unsafe free = memory } else { unsafe memory.deallocate() }
    }

    // SAFETY: as above.
    deinit { unsafe free?.deallocate() }
}
