/// What became of an operation: its completion, its bytes, and how the wait for it ended.
///
/// It owns the operation's memory until it is dropped, so its bytes are read without a copy. It belongs to the loop's thread.
@safe public struct Outcome: ~Copyable {
    // What the record says is read there, when it is asked for: an outcome is moved several times on its way, and few are asked for all.

    /// How the wait ended.
    public let end: WaitEnd
    private let memory: OperationMemory

    @inline(__always)
    init(_ end: WaitEnd, of cell: Cell, in ledger: Ledger) {
        self.end = end
        memory = OperationMemory(cell, ledger.slab)
    }

    /// The outcome of an operation that was given up on: its memory is the kernel's.
    init(stuck: StuckOperation) {
        end = .stuck(stuck)
        memory = OperationMemory()
    }

    /// The facts of the packet. Zero throughout where there was none: ``WaitEnd/stuck(_:)``.
    public var completion: Completion { memory.cell?.record.completion ?? Completion(count: 0) }
    /// Bytes moved, as the packet counted them.
    public var count: Int { memory.cell?.record.completion.count ?? 0 }
    /// The packet's error code; none for a success.
    public var error: SystemCode { memory.cell?.record.completion.error ?? .none }
    /// Bytes that the driver counted on a failed read and that may never have reached the buffer (clause C4).
    public var possiblyLost: Int { memory.cell.map { $0.possiblyLost($0.record.completion) } ?? 0 }
    /// The address that a `receive` or an `accept` brought; nil where the operation had no room for one.
    // SAFETY: it lies in the cell that `memory` keeps.
    public var address: SocketAddress? { unsafe memory.cell?.addressPointer?.pointee }

    // SAFETY: the bytes lie in the cell that `memory` keeps until this value is dropped.
    @usableFromInline var bytes: UnsafeRawBufferPointer {
        guard let cell = memory.cell else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        return unsafe cell.exposed(cell.record.completion)
    }

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

/// A taken operation's cell. Dropping it gives the cell back to the slab, which outlives its ledger for that; retaining it instead would be
/// two atomic operations for each.
// Usable from inline, because Embedded Swift drops no value in another module whose `deinit` it cannot see there.
@safe @usableFromInline struct OperationMemory: ~Copyable {
    private let slab: Unmanaged<Slab>?
    fileprivate let cell: Cell?

    // SAFETY: the slab is told, and stays until it is told of the end.
    @inline(__always)
    init(_ cell: Cell, _ slab: Slab) {
        slab.becomesOutcome()
        self.cell = cell
        unsafe self.slab = .passUnretained(slab)
    }

    // SAFETY: there is nothing to give back.
    init() {
        cell = nil
        unsafe slab = nil
    }

    // SAFETY: the slab is there for as long as a cell of it is an outcome.
    deinit {
        if let slab = unsafe slab, let cell { unsafe slab._withUnsafeGuaranteedRef { $0.drop(outcome: cell) } }
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
