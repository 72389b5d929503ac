/// What became of an operation: its completion, its bytes, and how the wait for it ended.
///
/// It owns the operation's memory until it is dropped, so its bytes are read without a copy. It belongs to the loop's thread.
@safe public struct Outcome: ~Copyable {
    /// The facts of the packet. Zero throughout where there was none: ``WaitEnd/stuck(_:)``.
    public let completion: Completion
    /// How the wait ended.
    public let end: WaitEnd
    /// Bytes that the driver counted on a failed read and that may never have reached the buffer (clause C4).
    public let possiblyLost: Int
    /// The address that a `receive` or an `accept` brought; nil where the operation had no room for one.
    public let address: SocketAddress?
    @usableFromInline let bytes: UnsafeRawBufferPointer
    private let memory: OperationMemory

    // SAFETY: `bytes` lie in the cell that `memory` keeps until this value is dropped.
    init(_ completion: Completion, _ end: WaitEnd, of cell: Cell, in ledger: Ledger) {
        self.completion = completion
        self.end = end
        possiblyLost = cell.possiblyLost(completion)
        address = unsafe cell.addressPointer?.pointee
        unsafe bytes = unsafe cell.exposed(completion)
        memory = OperationMemory(cell, ledger)
    }

    /// The outcome of an operation that was given up on: its memory is the kernel's.
    // SAFETY: there are no bytes.
    init(stuck: StuckOperation) {
        completion = Completion(count: 0)
        end = .stuck(stuck)
        possiblyLost = 0
        address = nil
        unsafe bytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        memory = OperationMemory()
    }

    /// Bytes moved, as the packet counted them.
    public var count: Int { completion.count }
    /// The packet's error code; none for a success.
    public var error: SystemCode { completion.error }

    /// Lends the bytes that a read brought, for the time of the call.
    // SAFETY: the span cannot outlive the call, and this value, which owns the bytes, is borrowed for it.
    @inlinable
    public func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try body(unsafe RawSpan(_unsafeBytes: bytes))
    }

    /// The bytes that a read brought, copied.
    // SAFETY: as for `withBytes`.
    public func copyBytes() -> [UInt8] { unsafe [UInt8](bytes) }
}

/// A taken operation's cell. Dropping it gives the cell back.
// Usable from inline, because Embedded Swift drops no value in another module whose `deinit` it cannot see there.
@usableFromInline struct OperationMemory: ~Copyable {
    private let ledger: Ledger?
    private let cell: Cell?

    init(_ cell: Cell, _ ledger: Ledger) {
        self.cell = cell
        self.ledger = ledger
    }

    init() {
        cell = nil
        ledger = nil
    }

    deinit {
        if let ledger, let cell { ledger.drop(cell) }
    }
}

extension Cell {
    /// The bytes of a completion that may be shown: none of a failed operation unless its driver delivers them, and never more than
    /// the buffer holds. What an earlier operation left behind is never among them.
    // SAFETY: a part of the cell's buffer.
    @inline(__always)
    func exposed(_ completion: Completion) -> UnsafeRawBufferPointer {
        // Most completions of writes, waits and remotes end here.
        guard record.flow == .received, completion.count > 0 else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        return unsafe received(completion)
    }

    // SAFETY: as above.
    @inline(__always)
    private func received(_ completion: Completion) -> UnsafeRawBufferPointer {
        let failed = completion.severity == .error || completion.severity == .aborted
        guard !failed || record.bytesOnError == .delivered else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        let count = min(completion.count, Int(record.capacity))
        return unsafe UnsafeRawBufferPointer(start: buffer.baseAddress, count: count)
    }

    func possiblyLost(_ completion: Completion) -> Int {
        let failed = completion.severity == .error || completion.severity == .aborted
        return record.flow == .received && failed && record.bytesOnError == .withheld ? max(0, completion.count) : 0
    }
}
