internal import CLoopWin32
internal import LoopCore

// Where an operation's pointers are followed. The ledger keeps the control block, the buffer and the room for an address in place until
// the packet is handed out (C2), and nothing here is called later.

extension Operation {
    /// The operation of a control block.
    // SAFETY: the block has room for the port behind the kernel's part, aligned to 8 (Layout).
    init(block: UnsafeMutableRawPointer) {
        unsafe self.init((block + ControlBlock.verbOffset).assumingMemoryBound(to: Win32Request.self))
    }

    /// Begins an operation in its control block.
    // SAFETY: as above; what the block held before is dead, and its last owner gave its work up (`takeWork`).
    init(
        beginning request: PortRequest, _ verb: Verb, on handle: BoundHandle, length: Int = 0, offset: FileOffset? = nil, work: Work = .none
    ) {
        let record = unsafe Win32Request(
            verb: verb, place: .untouched, traits: handle.record.object.isSocket ? .isOnSocket : [], handle: handle.record.handle,
            key: request.key, next: nil, previous: nil, buffer: request.buffer.baseAddress,
            length: UInt32(truncatingIfNeeded: length), address: request.address, work: work)
        let place = unsafe request.block + ControlBlock.verbOffset
        unsafe self.init(place.initializeMemory(as: Win32Request.self, to: record))
        if let offset { setOffset(offset.rawValue) }
    }

    /// The control block: what the packet carries.
    // SAFETY: the way back of `init(block:)`.
    var block: UnsafeMutableRawPointer { unsafe address - ControlBlock.verbOffset }

    /// The block's address as a number: what the port knows its operations by.
    // SAFETY: a number, to compare.
    var blockNumber: UInt { UInt(bitPattern: unsafe block) }

    /// The kernel's part of the block.
    // SAFETY: the block begins with an OVERLAPPED (Layout), zeroed when the operation was prepared (C14).
    var overlapped: UnsafeMutablePointer<portloop_win32_overlapped> {
        unsafe block.assumingMemoryBound(to: portloop_win32_overlapped.self)
    }

    /// What the kernel has written so far: pending, until the work is done.
    // SAFETY: as above. The status is 32 bits wide, and what stands beside it in its word means nothing.
    var status: RawStatus { RawStatus(rawValue: UInt32(truncatingIfNeeded: unsafe overlapped.pointee.internal)) }

    /// A place of its own for each half, because the structure is older than 64-bit integers.
    // SAFETY: as above.
    private func setOffset(_ offset: UInt64) {
        unsafe overlapped.pointee.offset = UInt32(truncatingIfNeeded: offset)
        unsafe overlapped.pointee.offset_high = UInt32(truncatingIfNeeded: offset >> 32)
    }

    /// Makes the block as it was before the first call, for another.
    // SAFETY: the kernel has given the block back.
    func clearOverlapped() { unsafe overlapped.pointee = portloop_win32_overlapped() }

    /// The ranges of the buffer as Winsock wants them. The array is read during the call.
    // SAFETY: the verb checked the ranges against the buffer and their number against `segmentsMax`.
    func withSegments<R>(_ ranges: [Range<Int>], _ body: (UnsafeBufferPointer<portloop_win32_segment>) -> R) -> R {
        unsafe withUnsafeTemporaryAllocation(of: portloop_win32_segment.self, capacity: segmentsMax) { segments in
            for (place, range) in ranges.enumerated() {
                let base = unsafe record.buffer.map { unsafe $0 + range.lowerBound }
                let segment = unsafe portloop_win32_segment(count: UInt32(truncatingIfNeeded: range.count), base: base)
                unsafe segments.initializeElement(at: place, to: segment)
            }
            return unsafe body(UnsafeBufferPointer(rebasing: segments[..<ranges.count]))
        }
    }

    /// A copy of the ranges, one behind the other, that lives until the packet.
    // SAFETY: as above; the memory is as large as all ranges together.
    func gather(_ ranges: [Range<Int>], count: Int) -> GatheredBytes {
        let copy = GatheredBytes(count: count)
        var place = unsafe copy.start
        for range in ranges {
            if let buffer = unsafe record.buffer { unsafe place.copyMemory(from: buffer + range.lowerBound, byteCount: range.count) }
            unsafe place += range.count
        }
        return copy
    }

    /// Where the buffer's byte is.
    // SAFETY: the verb checked the offset against the buffer.
    func bytes(from offset: Int) -> UnsafeMutableRawPointer? { unsafe record.buffer.map { unsafe $0 + offset } }

    /// Bytes in use of the address; zero where there is none.
    var addressLength: UInt32 {
        // SAFETY: the room is the ledger's until the packet.
        get { unsafe record.address?.pointee.length ?? 0 }
        // SAFETY: as above. The kernel says how long the address would be, also where it cut it.
        nonmutating set { unsafe record.address?.pointee.length = Swift.min(newValue, SocketAddress.storageBytes) }
    }

    /// Takes what the control block owns out of it, so that it owns nothing when its packet is handed out.
    func takeWork() -> Work {
        let work = record.work
        record.work = .none
        return work
    }
}

/// The pieces of a gathered write, one behind the other.
@safe struct GatheredBytes {
    let start: UnsafeMutableRawPointer

    // SAFETY: the operation that gathers them frees them, once.
    init(count: Int) { unsafe start = .allocate(byteCount: max(count, 1), alignment: 16) }

    // SAFETY: the kernel reads them no more: their packet has come, or their call has failed.
    func deallocate() { unsafe start.deallocate() }
}

extension SocketAddress {
    static let storageBytes: UInt32 = 128
}

extension PacketKey {
    /// Wakes ("PORTWAKE"). On a 32-bit system a key is its lower half, so those differ too.
    static let wake = PacketKey(rawValue: 0x504F_5254_5741_4B45)
    /// Answers of the driver of sockets ("PORTPOLL").
    static let readiness = PacketKey(rawValue: 0x504F_5254_504F_4C4C)

    /// Console control ("PORTCTRL"): the control is the count.
    static let console = PacketKey(rawValue: 0x504F_5254_4354_524C)
    /// The end of a process ("PORTEXIT"): which wait it ends is the count.
    static let exit = PacketKey(rawValue: 0x504F_5254_4558_4954)

    /// The key as the kernel keeps it.
    var word: UInt { UInt(truncatingIfNeeded: rawValue) }
}
