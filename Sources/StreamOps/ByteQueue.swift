internal import LoopCore

/// Received bytes in order, in one piece of memory, so that whoever looks for the end of a frame or copies them out has a single span.
///
/// Room is made at the back when it is needed: by moving what is left to the front, or, where a frame is larger than all of it, by growing.
///
/// What changes stands behind a pointer: in the object each look would be checked for overlapping access (counted, 80 instructions).
@safe package final class ByteQueue {
    @unsafe private struct State {
        var memory: UnsafeMutableRawBufferPointer
        var head = 0
        var count = 0
    }

    private let state: UnsafeMutablePointer<State>

    // SAFETY: bytes `head ..< head + count` are initialised; all of the memory is raw bytes that need no destruction.
    package init(capacity: Int = 4_096) {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State(memory: .allocate(byteCount: max(1, capacity), alignment: 1)))
    }

    // SAFETY: as above, and nobody else has the pointer.
    deinit {
        unsafe state.pointee.memory.deallocate()
        unsafe state.deallocate()
    }

    // SAFETY: the pointer is this object's, which is one thread's: here and in what follows.
    package var count: Int { unsafe state.pointee.count }
    package var isEmpty: Bool { count == 0 }

    // SAFETY: the room was made, and the span's bytes are copied before it ends.
    package func append(_ bytes: RawSpan) {
        guard !bytes.isEmpty else { return }
        makeRoom(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            let end = unsafe state.pointee.head + state.pointee.count
            let place = unsafe UnsafeMutableRawBufferPointer(rebasing: state.pointee.memory[end...])
            unsafe place.copyMemory(from: source)
        }
        unsafe state.pointee.count += bytes.byteCount
    }

    /// The bytes, for the time of a call.
    // SAFETY: the span ends with the call, and nothing else touches the queue meanwhile.
    package func withBytes<R: ~Copyable>(_ body: (RawSpan) -> R) -> R {
        body(unsafe RawSpan(_unsafeBytes: held))
    }

    // SAFETY: see `init`.
    private var held: UnsafeRawBufferPointer {
        let start = unsafe state.pointee.head
        return unsafe UnsafeRawBufferPointer(rebasing: state.pointee.memory[start..<start + state.pointee.count])
    }

    /// Forgets the first bytes.
    package func drop(_ number: Int) {
        guard number >= 0, number <= count else { trap("\(number) bytes were dropped of \(count). This is a bug of Portloop.") }
        // SAFETY: see `count`.
        unsafe state.pointee.count -= number
        unsafe state.pointee.head = isEmpty ? 0 : state.pointee.head + number
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

    package func removeAll() { drop(count) }

    // SAFETY: what is moved or copied lies within the old memory and fits in the new.
    private func makeRoom(_ number: Int) {
        let (head, size) = unsafe (state.pointee.head, state.pointee.memory.count)
        guard head + count + number > size else { return }
        let bytes = unsafe held
        if count + number <= size && count <= head {
            unsafe state.pointee.memory.copyMemory(from: bytes)
        } else {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size * 2, count + number), alignment: 1)
            unsafe larger.copyMemory(from: bytes)
            unsafe state.pointee.memory.deallocate()
            unsafe state.pointee.memory = larger
        }
        unsafe state.pointee.head = 0
    }
}
