/// A run of memory for elements of one type, addressed by index, without reference counts, exclusivity checks or hidden copies.
///
/// The column owns the memory, its user the elements: the user knows which ones are initialised, and says so when the memory moves or
/// goes. Indices are checked in debug builds only; that is the contract that each `SAFETY` line below leans on.
@safe
struct RawColumn<Element>: ~Copyable {
    private let base: UnsafeMutablePointer<Element>
    let capacity: Int
    /// How many elements' worth of memory lies unused before index 0, to move another index to the start of a cache line.
    let lead: Int

    /// Every x86 and most ARM cores have lines of this size.
    static var cacheLineBytes: Int { 64 }

    // SAFETY: the memory is as long as lead and capacity together, and bound to nothing else.
    init(capacity: Int, lead: Int = 0) {
        let stride = MemoryLayout<Element>.stride
        let alignment = max(Self.cacheLineBytes, MemoryLayout<Element>.alignment)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: (lead + capacity) * stride, alignment: alignment)
        unsafe base = memory.bindMemory(to: Element.self, capacity: lead + capacity) + lead
        self.capacity = capacity
        self.lead = lead
    }

    // SAFETY: the memory is this column's alone; the elements have been moved out or deinitialised by their owner.
    deinit {
        unsafe UnsafeMutableRawPointer(base - lead).deallocate()
    }

    // SAFETY: the caller's index is below the capacity, and its element is initialised or of a type that needs no initialisation.
    subscript(index: Int) -> Element {
        unsafeAddress {
            assert(index >= 0 && index < capacity)
            return unsafe UnsafePointer(base + index)
        }
        unsafeMutableAddress {
            assert(index >= 0 && index < capacity)
            return unsafe base + index
        }
    }

    // SAFETY: the caller's index is below the capacity and its element holds nothing that would have to be released.
    mutating func initialize(_ index: Int, to element: consuming Element) {
        assert(index >= 0 && index < capacity)
        unsafe (base + index).initialize(to: element)
    }

    // SAFETY: the caller vouches that exactly these elements are initialised.
    func deinitialize(_ range: Range<Int>) {
        assert(range.upperBound <= capacity)
        unsafe (base + range.lowerBound).deinitialize(count: range.count)
    }

    // SAFETY: the caller vouches that the first `count` elements are initialised and that no others are.
    mutating func resize(to newCapacity: Int, keeping count: Int) {
        assert(count <= capacity && count <= newCapacity)
        let larger = RawColumn(capacity: newCapacity, lead: lead)
        unsafe larger.base.moveInitialize(from: base, count: count)
        self = larger
    }
}
