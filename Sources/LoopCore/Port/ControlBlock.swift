/// The front of every operation's memory: what the kernel and the port may write to until the packet is dequeued (clause C2).
///
/// The first 32 bytes are the kernel's: on Windows they are the `OVERLAPPED`. The rest is the port's own: the emulated port keeps its
/// queue links there, so that parking an operation allocates nothing. Bytes 0 to 39 are zero when an operation is prepared; a port
/// recognises a block that no verb of its own has touched by the zero at ``verbOffset``.
public enum ControlBlock {
    /// The kernel's part: the size of an OVERLAPPED.
    public static let kernelBytes = 32
    /// Where a port keeps the tag of the verb it runs; zero means none.
    public static let verbOffset = 32
    /// The port's part.
    public static let portBytes = 128
    /// Both.
    public static let bytes = kernelBytes + portBytes
}

/// One operation as the port sees it: where its memory is and which association it belongs to.
@safe public struct PortRequest {
    /// The control block; the address that the packet must carry.
    public var block: UnsafeMutableRawPointer
    /// The operation's buffer, owned by the ledger until the packet is dequeued.
    public var buffer: UnsafeMutableRawBufferPointer
    /// Room for a ``SocketAddress``, where the operation was prepared with one.
    public var address: UnsafeMutablePointer<SocketAddress>?
    /// The handle as it was associated.
    public var handle: NativeHandle
    /// The association.
    public var key: HandleKey
    /// Whether the answer may be the result.
    public var inline: InlineCompletion

    /// A request, as the ledger makes it.
    // SAFETY: a plain record of pointers; the ledger vouches for their lifetime until the packet (C2).
    public init(
        block: UnsafeMutableRawPointer, buffer: UnsafeMutableRawBufferPointer, address: UnsafeMutablePointer<SocketAddress>?,
        handle: NativeHandle, key: HandleKey, inline: InlineCompletion
    ) {
        unsafe self.block = unsafe block
        unsafe self.buffer = unsafe buffer
        unsafe self.address = unsafe address
        self.handle = handle
        self.key = key
        self.inline = inline
    }
}

/// Whether a verb may answer with its result instead of a packet.
public enum InlineCompletion: UInt8, Sendable {
    /// Exactly one packet, also for work that was done at once.
    case never
    /// Work done at once may come back as ``Submission/completed(_:)``: then there is no packet.
    case allowed
}

/// A socket address as the kernel writes it, with room for the longest.
///
/// The corresponding type is `sockaddr_storage`.
public struct SocketAddress: Sendable {
    /// Bytes of ``storage`` in use; zero where there is no address.
    public var length: UInt32 = 0
    /// The address, in the platform's own layout.
    public var storage = InlineArray<16, UInt64>(repeating: 0)

    public init() {}
}
