internal import CLoopEpoll
internal import LoopCore

// Where an operation's pointers are followed. The ledger keeps the control block, the buffer and the room for an address in place until
// the packet is handed out (C2), and nothing here is called later.

extension Operation {
    /// The operation of a control block.
    // SAFETY: the block has room for the port behind the kernel's part, aligned to 8 (Layout).
    init(block: UnsafeMutableRawPointer) {
        unsafe self.init((block + ControlBlock.verbOffset).assumingMemoryBound(to: EpollRequest.self))
    }

    /// Begins an operation in its control block.
    // SAFETY: as above; what the block held before is dead, and its last owner gave its work up (`takeWork`).
    init(beginning request: PortRequest, _ verb: Verb, fd: Int32, length: Int, offset: FileOffset? = nil, work: Work = .none) {
        let record = unsafe EpollRequest(
            verb: verb, place: .untouched, traits: offset == nil ? [] : .hasOffset, fd: fd, key: request.key, next: nil, previous: nil,
            buffer: request.buffer.baseAddress, length: length, offset: offset?.rawValue ?? 0, address: request.address, work: work)
        let place = unsafe request.block + ControlBlock.verbOffset
        unsafe self.init(place.initializeMemory(as: EpollRequest.self, to: record))
    }

    /// The control block: what the packet carries.
    // SAFETY: the way back of `init(block:)`.
    var block: UnsafeMutableRawPointer { unsafe address - ControlBlock.verbOffset }

    /// Has the processor fetch the operation's memory: the control block, the ledger's part behind it, and where its buffer begins.
    // SAFETY: a hint, which follows no pointer.
    @inline(__always)
    func prefetchCell() { unsafe Native.prefetch(block, lines: 6) }

    /// What is left of the buffer's wanted bytes, at most `max` of them.
    // SAFETY: the verb checked `length` against the buffer, and `progress` never exceeds it.
    @inline(__always)
    func rest(max: Int) -> UnsafeMutableRawBufferPointer {
        let start = unsafe record.buffer.map { unsafe $0 + record.progress }
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: Swift.min(record.length - record.progress, max))
    }

    /// What is left of a gathered write's ranges, at most `max` bytes of them, as the kernel wants it.
    // SAFETY: the verb checked the ranges against the buffer and their number against `segmentsMax`; the pieces live for the call.
    func withPieces<Answer>(max: Int, _ body: (UnsafeBufferPointer<iovec>) -> Answer) -> Answer {
        unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: segmentsMax) { pieces in
            guard case .ranges(let ranges) = record.work else { trap("A gathered write has lost its ranges.") }
            var skip = record.progress
            var left = max
            var count = 0
            for range in ranges where left > 0 {
                guard skip < range.count else {
                    skip -= range.count
                    continue
                }
                let length = Swift.min(range.count - skip, left)
                let start = unsafe record.buffer.map { unsafe $0 + range.lowerBound + skip }
                unsafe pieces.initializeElement(at: count, to: iovec(iov_base: start, iov_len: length))
                skip = 0
                left -= length
                count += 1
            }
            return unsafe body(UnsafeBufferPointer(rebasing: pieces[..<count]))
        }
    }

    /// The room for a socket address: where the kernel writes it, and how long it is.
    // SAFETY: the storage lies behind the length (Layout).
    var addressStorage: UnsafeMutableRawPointer? {
        unsafe record.address.map { unsafe UnsafeMutableRawPointer($0) + Layout.addressStorageOffset }
    }

    /// Bytes in use of the address; zero where there is none.
    var addressLength: UInt32 {
        // SAFETY: as above.
        get { unsafe record.address?.pointee.length ?? 0 }
        // SAFETY: as above. The kernel says how long the address would be, also where it cut it.
        nonmutating set { unsafe record.address?.pointee.length = Swift.min(newValue, SocketAddress.storageBytes) }
    }

    /// Lets go of them at once.
    @inline(never)
    func dropWork() {
        let work = takeWork()
        withExtendedLifetime(work) {}
    }

    /// Takes the ranges or the function out of the control block, so that the block owns nothing when its packet is queued.
    func takeWork() -> Work {
        let work = record.work
        record.work = .none
        return work
    }
}

extension SocketAddress {
    static let storageBytes: UInt32 = 128
}
