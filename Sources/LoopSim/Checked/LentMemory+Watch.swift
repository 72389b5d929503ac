internal import LoopCore

extension LentMemory {
    /// Fills the buffer with bytes that nobody would write, so that what is written can be told afterwards.
    // SAFETY: the buffer of a read that is about to start holds nothing of anybody's.
    func poison() {
        for place in 0..<capacity { unsafe buffer[place] = LentMemory.poisonByte }
    }

    /// The first byte from `count` on that has been written to since ``poison()``.
    // SAFETY: read before the packet is passed on, while the buffer is still the kernel's side's.
    func firstWritten(from count: Int) -> Int? {
        guard count < capacity else { return nil }
        for place in max(0, count)..<capacity where unsafe buffer[place] != LentMemory.poisonByte { return place }
        return nil
    }

    /// A number that tells two contents of the buffer apart.
    // SAFETY: see `CheckedPort.watchedBytesMax`: memory of this size stays allocated as long as its ledger.
    func checksum() -> UInt64 {
        var sum: UInt64 = 0
        for place in 0..<capacity { sum = (sum &* 31) &+ UInt64(unsafe buffer[place]) }
        return sum
    }

    /// 1011 0101: neither zero, nor all ones, nor a letter.
    private static let poisonByte: UInt8 = 0xB5
}
