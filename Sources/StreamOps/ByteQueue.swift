internal import LoopCore

/// Received bytes in order, in one piece of memory, so that whoever looks for the end of a frame or copies them out has a single span.
///
/// Room is made at the back when it is needed: by moving what is left to the front, or, where a frame is larger than all of it, by growing.
///
/// A class of its own: as a structure of its stream's it would be checked for overlapping access each time it is looked at (counted, 80
/// instructions).
@safe package final class ByteQueue {
    private var memory: UnsafeMutableRawBufferPointer
    private var head = 0
    package private(set) var count = 0

    // SAFETY: bytes `head ..< head + count` are initialised; all of the memory is raw bytes that need no destruction.
    package init(capacity: Int = 4_096) { unsafe memory = .allocate(byteCount: max(1, capacity), alignment: 1) }

    // SAFETY: as above.
    deinit { unsafe memory.deallocate() }

    package var isEmpty: Bool { count == 0 }

    // SAFETY: the room was made, and the span's bytes are copied before it ends.
    package func append(_ bytes: RawSpan) {
        guard !bytes.isEmpty else { return }
        makeRoom(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            let place = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(head + count)...])
            unsafe place.copyMemory(from: source)
        }
        count += bytes.byteCount
    }

    /// The bytes, for the time of a call.
    // SAFETY: the span ends with the call, and nothing else touches the queue meanwhile.
    package func withBytes<R: ~Copyable>(_ body: (RawSpan) -> R) -> R {
        body(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: memory[head..<head + count])))
    }

    /// Forgets the first bytes.
    package func drop(_ number: Int) {
        guard number >= 0, number <= count else { trap("\(number) bytes were dropped of \(count). This is a bug of Portloop.") }
        head += number
        count -= number
        if count == 0 { head = 0 }
    }

    /// Takes the first bytes, copied.
    package func take(_ number: Int) -> [UInt8] {
        defer { drop(number) }
        return copy(number)
    }

    /// The first bytes, or all of them, copied.
    // SAFETY: the span is the queue's for the time of the call.
    package func copy(_ number: Int? = nil) -> [UInt8] {
        withBytes { bytes in unsafe bytes.extracting(0..<(number ?? count)).withUnsafeBytes { unsafe [UInt8]($0) } }
    }

    package func removeAll() {
        head = 0
        count = 0
    }

    // SAFETY: what is moved or copied lies within the old memory and fits in the new.
    private func makeRoom(_ number: Int) {
        guard unsafe head + count + number > memory.count else { return }
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory[head..<head + count])
        let size = unsafe memory.count
        if count + number <= size && count <= head {
            unsafe memory.copyMemory(from: bytes)
        } else {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size * 2, count + number), alignment: 1)
            unsafe larger.copyMemory(from: bytes)
            unsafe memory.deallocate()
            unsafe memory = larger
        }
        head = 0
    }
}
