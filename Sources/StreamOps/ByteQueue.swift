internal import LoopCore

/// Received bytes in order, in one piece of memory, so that whoever looks for the end of a frame or copies them out has a single span.
///
/// Room is made at the back when it is needed: by moving what is left to the front, or, where a frame is larger than all of it, by growing.
///
/// What changes stands behind a pointer: in the object each look would be checked for overlapping access (counted, 80 instructions). What
/// every read does is compiled into its callers.
@usableFromInline @safe package final class ByteQueue {
    @unsafe @usableFromInline package struct State {
        @usableFromInline package var memory: UnsafeMutableRawPointer
        @usableFromInline package var size: Int
        @usableFromInline package var head = 0
        @usableFromInline package var count = 0

        // SAFETY: the queue gives it back.
        init(size: Int) {
            unsafe memory = .allocate(byteCount: size, alignment: 1)
            unsafe self.size = size
        }
    }

    @usableFromInline package let state: UnsafeMutablePointer<State>

    // SAFETY: bytes `head ..< head + count` are initialised; all of the memory is raw bytes that need no destruction.
    package init(capacity: Int = 4_096) {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State(size: max(1, capacity)))
    }

    // SAFETY: as above, and nobody else has the pointer.
    deinit {
        unsafe state.pointee.memory.deallocate()
        unsafe state.deallocate()
    }

    // SAFETY: the pointer is this object's, which is one thread's: here and in what follows.
    @inlinable package var count: Int { unsafe state.pointee.count }
    @inlinable package var isEmpty: Bool { count == 0 }

    // SAFETY: the room was made, and the span's bytes are copied before it ends.
    @inlinable
    package func append(_ bytes: RawSpan) {
        let number = bytes.byteCount
        if unsafe state.pointee.head + state.pointee.count + number > state.pointee.size { makeRoom(number) }
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe (state.pointee.memory + state.pointee.head + state.pointee.count).copyMemory(from: start, byteCount: number)
        }
        unsafe state.pointee.count += number
    }

    /// The bytes, for the time of a call.
    // SAFETY: the span ends with the call, and nothing else touches the queue meanwhile.
    @inlinable
    package func withBytes<R: ~Copyable>(_ body: (RawSpan) -> R) -> R {
        body(unsafe RawSpan(_unsafeStart: state.pointee.memory + state.pointee.head, byteCount: count))
    }

    /// Forgets the first bytes.
    // SAFETY: see `count`.
    @inlinable
    package func drop(_ number: Int) {
        guard UInt(bitPattern: number) <= UInt(bitPattern: count) else { trapDropped(number, of: count) }
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

    /// Makes room for so many bytes behind those that are there.
    // SAFETY: what is moved or copied lies within the old memory and fits in the new.
    @usableFromInline
    package func makeRoom(_ number: Int) {
        let (head, size) = unsafe (state.pointee.head, state.pointee.size)
        let bytes = unsafe state.pointee.memory + head
        if count + number <= size && count <= head {
            unsafe state.pointee.memory.copyMemory(from: bytes, byteCount: count)
            unsafe state.pointee.head = 0
        } else {
            var larger = unsafe State(size: max(size * 2, count + number))
            unsafe larger.memory.copyMemory(from: bytes, byteCount: count)
            unsafe larger.count = count
            unsafe state.pointee.memory.deallocate()
            unsafe state.pointee = larger
        }
    }
}

@usableFromInline
func trapDropped(_ number: Int, of count: Int) -> Never {
    trap("\(number) bytes were dropped of \(count). This is a bug of Portloop.")
}
