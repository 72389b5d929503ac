/// Bytes on their way from one end to the other, at most as many as there is room for.
struct ByteQueue {
    let bytesMax: Int
    private var bytes: [UInt8] = []
    /// Where the first byte that nobody has read is. Read bytes are dropped in bulk, so that taking one is not moving all.
    private var first = 0

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    var count: Int { bytes.count - first }
    var room: Int { bytesMax - count }

    /// Takes in as many as there is room for, and says how many.
    mutating func append(_ more: ArraySlice<UInt8>) -> Int {
        let taken = more.prefix(room)
        bytes += taken
        return taken.count
    }

    /// Hands out the first bytes, at most `count`.
    mutating func removeFirst(_ count: Int) -> ArraySlice<UInt8> {
        let taken = bytes[first..<(first + min(count, self.count))]
        first += taken.count
        if first == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            first = 0
        } else if first > bytesMax {
            bytes.removeFirst(first)
            first = 0
        }
        return taken
    }
}
