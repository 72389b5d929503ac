internal import LoopCore

/// The memory of one operation, as the simulated kernel was lent it: the simulator touches raw memory through it alone.
///
/// It writes to the control block what Windows writes to an OVERLAPPED: the status, pending until the work is done, and the count.
@safe struct LentMemory {
    private let request: PortRequest

    init(_ request: PortRequest) { self.request = request }

    /// The memory of an operation that is prepared and has not been given to a port.
    // SAFETY: the pointers as the seam lent them.
    init(_ prepared: PreparedMemory) {
        unsafe request = PortRequest(
            block: prepared.controlBlock, buffer: prepared.buffer, address: nil, handle: .invalid,
            key: HandleKey(slot: 0, generation: 0), inline: .never)
    }

    /// A block whose operation no verb was started on: it has no buffer that anybody was shown.
    // SAFETY: the block is named and not followed.
    init(_ block: UnsafeMutableRawPointer) {
        unsafe request = PortRequest(
            block: block, buffer: UnsafeMutableRawBufferPointer(start: nil, count: 0), address: nil, handle: .invalid,
            key: HandleKey(slot: 0, generation: 0), inline: .never)
    }

    /// The number by which a packet and a cancel find the operation again.
    // SAFETY: a number; it is compared and never followed.
    var blockAddress: UInt { UInt(bitPattern: unsafe request.block) }

    // SAFETY: nothing is read.
    var capacity: Int { unsafe request.buffer.count }

    /// The operation's buffer.
    // SAFETY: whoever touches it says why it may.
    var buffer: UnsafeMutableRawBufferPointer { unsafe request.buffer }

    var inline: InlineCompletion { request.inline }

    /// Marks the block as the kernel's: STATUS_PENDING in its first word, and a tag that says a verb of a port runs on it.
    // SAFETY: the block is the port's from the verb until the packet (C2), and longer than both places.
    func begin() {
        unsafe request.block.storeBytes(of: UInt64(RawStatus.pending.rawValue), as: UInt64.self)
        unsafe request.block.storeBytes(of: 1, toByteOffset: ControlBlock.verbOffset, as: UInt8.self)
    }

    /// Writes the outcome into the block, before the packet is handed out and never after.
    // SAFETY: as for `begin`.
    func end(_ completion: Completion) {
        unsafe request.block.storeBytes(of: UInt64(completion.status.rawValue), as: UInt64.self)
        unsafe request.block.storeBytes(of: UInt64(truncatingIfNeeded: completion.count), toByteOffset: 8, as: UInt64.self)
    }

    /// The packet for this operation.
    // SAFETY: the block's own address, handed back to its owner.
    func packet(_ completion: Completion) -> Packet { unsafe Packet(key: .operation, block: request.block, completion: completion) }

    /// Writes into the buffer, as much as fits behind `offset`. Returns how many bytes did.
    // SAFETY: the buffer is the port's until the packet (C2); the range is clamped to it.
    @discardableResult
    func put(_ bytes: ArraySlice<UInt8>, at offset: Int = 0) -> Int {
        let count = min(bytes.count, capacity - offset)
        guard count > 0 else { return 0 }
        unsafe UnsafeMutableRawBufferPointer(rebasing: request.buffer[offset..<(offset + count)]).copyBytes(from: bytes.prefix(count))
        return count
    }

    /// Copies a range of the buffer, clamped to it.
    // SAFETY: as for `put`.
    func bytes(_ range: Range<Int>) -> [UInt8] { unsafe [UInt8](request.buffer[range.clamped(to: 0..<capacity)]) }

    /// The address beside the buffer, where the operation has room for one.
    var address: SocketAddress? {
        // SAFETY: the room is the operation's own, and the port's until the packet (C2).
        get { unsafe request.address?.pointee }
        // SAFETY: as above.
        nonmutating set { if let newValue { unsafe request.address?.pointee = newValue } }
    }

    /// Makes an adapter's own native call with this memory.
    // SAFETY: as the seam lent it.
    func startNative(on port: SimulatedPort, _ device: NativeHandle, answering code: SystemCode) -> Int32 {
        unsafe port.startNative(on: device, request.block, request.buffer, answering: code)
    }
}
