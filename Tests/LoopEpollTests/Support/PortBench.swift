import LoopCore
import LoopEpoll
import Testing

/// A port with nothing around it but what the ledger owes it: control blocks and buffers that stay in place, and books of what is owed.
///
/// `end()` closes a test: nothing may be owed, and nothing may come that is not.
@safe final class PortBench {
    let port: EpollPort
    private var owed: [UInt: Lent] = [:]
    private var associations: [(NativeHandle, HandleKey)] = []
    /// Open until the test ends, whatever its last use of them is.
    private var files: [OpenFile] = []
    private var nextSlot: UInt32 = 0
    private let batch: UnsafeMutableBufferPointer<Packet>

    /// So long no test waits for anything that is going to come.
    static let patienceNanoseconds: UInt64 = 20_000_000_000

    init(lacksNanosecondWait: Bool = false, batchSize: Int = 64) throws {
        port = try EpollPort(lacksNanosecondWait: lacksNanosecondWait)
        unsafe batch = .allocate(capacity: batchSize)
    }

    deinit { unsafe batch.deallocate() }

    // MARK: handles

    func associate(_ file: OpenFile, options: AssociationOptions = []) throws -> Associated {
        let key = HandleKey(slot: nextSlot, generation: nextSlot + 1)
        try port.associate(file.handle, as: key, options: options)
        nextSlot += 1
        associations.append((file.handle, key))
        files.append(file)
        return Associated(handle: file.handle, key: key)
    }

    func dissociate(_ associated: Associated) {
        associations.removeAll { $0.1 == associated.key }
        port.dissociate(associated.handle, as: associated.key)
    }

    // MARK: operations

    /// Starts an operation and keeps the books of it.
    @discardableResult
    func start(_ lent: Lent, on associated: Associated, inline: InlineCompletion = .never, _ verb: (EpollPort, PortRequest) -> Submission)
        -> Submission
    {
        lent.begin(on: associated)
        // A function that cancels itself does so before the verb has answered.
        owed[lent.address] = lent
        let submission = verb(port, lent.request(inline))
        if submission != .owesPacket { owed[lent.address] = nil }
        return submission
    }

    func post(_ lent: Lent, _ completion: Completion) {
        lent.begin(on: Associated(handle: .invalid, key: HandleKey(slot: 0, generation: 0)))
        owed[lent.address] = lent
        unsafe port.post(lent.block, completion)
    }

    func cancel(_ lent: Lent) -> CancelAnswer { port.cancel(lent.request(.never)) }

    // MARK: packets

    /// The next packets, in their order; fewer, and a failure, if they do not come.
    func packets(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) -> [Finished] {
        var found: [Finished] = []
        let bound = MonotonicInstant(nanoseconds: port.now().nanoseconds + PortBench.patienceNanoseconds)
        while found.count < count, port.now() < bound { found += wait(.until(bound)) }
        #expect(found.count == count, "packets that came", sourceLocation: sourceLocation)
        return found
    }

    /// The next packet, which must be this operation's.
    func packet(of lent: Lent, sourceLocation: SourceLocation = #_sourceLocation) -> Completion {
        let found = packets(1, sourceLocation: sourceLocation)
        #expect(found.first?.lent === lent, "whose packet it is", sourceLocation: sourceLocation)
        return found.first?.completion ?? Completion(count: -1)
    }

    /// Packets that are there now. What the kernel has already is worked through: two looks, because a long write gives way.
    func packetsNow() -> [Finished] { wait(.poll) + wait(.poll) }

    /// One call of the port's.
    func wait(_ bound: WaitBound) -> [Finished] {
        let count = unsafe port.wait(into: batch, for: bound)
        return (0..<count).map { place in
            let packet = unsafe batch[place]
            #expect(packet.key == .operation)
            let address = unsafe UInt(bitPattern: packet.block)
            guard let lent = owed.removeValue(forKey: address) else { trap("A packet came for an operation that owes none.") }
            return Finished(lent: lent, completion: packet.completion)
        }
    }

    var owedCount: Int { owed.count }

    /// Nothing is owed and nothing comes.
    func end(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(owed.isEmpty, "operations in flight", sourceLocation: sourceLocation)
        #expect(packetsNow().isEmpty, "packets nobody asked for", sourceLocation: sourceLocation)
        for (handle, key) in associations { port.dissociate(handle, as: key) }
        port.close()
    }
}

struct Associated {
    let handle: NativeHandle
    let key: HandleKey
}

struct Finished {
    let lent: Lent
    let completion: Completion
}

/// An operation's memory as the ledger keeps it. Everything but the bytes that are promised to be zero is garbage at first.
@safe final class Lent {
    private let memory: UnsafeMutableRawPointer
    private let buffer: UnsafeMutableRawBufferPointer
    private let hasAddress: Bool
    private var associated = Associated(handle: .invalid, key: HandleKey(slot: 0, generation: 0))

    private static let addressOffset = 192
    private static let bufferOffset = 384
    private static let garbage: UInt8 = 0xA5

    init(capacity: Int, address: SocketAddress? = nil, hasAddress: Bool = false) {
        self.hasAddress = hasAddress || address != nil
        unsafe memory = .allocate(byteCount: Lent.bufferOffset + capacity, alignment: 64)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: Lent.garbage, count: Lent.bufferOffset + capacity)
        unsafe (memory + Lent.addressOffset).initializeMemory(as: SocketAddress.self, to: address ?? SocketAddress())
        unsafe buffer = UnsafeMutableRawBufferPointer(start: memory + Lent.bufferOffset, count: capacity)
    }

    /// An operation whose buffer is somebody else's.
    init(buffer: UnsafeMutableRawBufferPointer) {
        hasAddress = false
        unsafe memory = .allocate(byteCount: Lent.bufferOffset, alignment: 64)
        unsafe self.buffer = buffer
    }

    convenience init(_ bytes: [UInt8], address: SocketAddress? = nil) {
        self.init(capacity: bytes.count, address: address)
        unsafe bytes.withUnsafeBytes { source in
            unsafe buffer.copyMemory(from: source)
        }
    }

    deinit { unsafe memory.deallocate() }

    var block: UnsafeMutableRawPointer { unsafe memory }
    var address: UInt { unsafe UInt(bitPattern: memory) }

    func begin(on associated: Associated) {
        self.associated = associated
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: ControlBlock.verbOffset + 8)
    }

    func request(_ inline: InlineCompletion) -> PortRequest {
        unsafe PortRequest(
            block: memory, buffer: buffer,
            address: hasAddress ? (memory + Lent.addressOffset).assumingMemoryBound(to: SocketAddress.self) : nil,
            handle: associated.handle, key: associated.key, inline: inline)
    }

    /// The first bytes of the buffer.
    func bytes(_ count: Int) -> [UInt8] {
        unsafe Array(buffer[..<count])
    }

    var socketAddress: SocketAddress { unsafe (memory + Lent.addressOffset).load(as: SocketAddress.self) }
}

extension Array where Element == UInt8 {
    /// A pattern in which a lost, doubled or swapped byte shows.
    static func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }
}

/// What tests compare errors with.
extension SystemCode {
    static func number(_ code: Int32) -> SystemCode { SystemCode(rawValue: code) }
}
