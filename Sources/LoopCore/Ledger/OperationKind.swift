/// Operations of one kind on one handle: what they have in common, said once.
///
/// It names an entry of the loop's, which goes with the association: after ``Operations/retire(_:_:)`` every use of it is refused with
/// ``OperationError/notAssociated``.
public struct OperationKind: Hashable, Sendable {
    /// Where the loop keeps its entry, as a number: only the ledger it names follows it, and that one keeps the place for life.
    let place: UInt
    /// Which of the kinds it is that have had the place.
    let generation: UInt32
    let ledger: UInt32
}

/// Whom to tell of the operations of a kind.
///
/// A constant of a class, so that a call through it retains nothing: whoever lets go of it does so when nobody is being told.
final class Sink {
    let call: (OperationID, WaitEnd) -> Void
    /// Whether the loop takes what a packet said by itself, and hands it over: then `call` is told of stuck operations alone.
    let handsOver: Bool
    /// Of no use where nothing is handed over. Not an optional: to call one costs a retain.
    let facts: (UInt64, Completion) -> Void

    init(_ call: @escaping (OperationID, WaitEnd) -> Void) {
        self.call = call
        handsOver = false
        facts = { _, _ in }
    }

    init(facts: @escaping (UInt64, Completion) -> Void, stuck: @escaping (StuckOperation) -> Void) {
        call = { _, end in if case .stuck(let operation) = end { stuck(operation) } }
        handsOver = true
        self.facts = facts
    }
}

/// What a loop keeps for each kind.
@safe struct KindEntry {
    /// The kind's own while operations of it may be prepared; zero from the moment that its handle retires.
    var generation: UInt32 = 0
    /// Good for as long as the generation is not zero, or a record is of this kind.
    var handle: HandleRef
    /// Held by the table, from `add` to `drop`; nil while vacant.
    var sink: Unmanaged<Sink>?
    var address: AddressRoom
    var bytesOnError: BytesOnError
    /// The next kind of the handle; while it is vacant, the next vacant one.
    var next: UInt32
    var place: SourcePlace
}

/// A kind in place. Good for as long as its handle has a record.
@safe struct KindRef: Equatable {
    private let pointer: UnsafeMutablePointer<KindEntry>

    // SAFETY: only the table makes one, for a place it has initialised and that lives as long as the ledger.
    init(_ pointer: UnsafeMutablePointer<KindEntry>) { unsafe self.pointer = pointer }

    // SAFETY: the addresses are compared and not followed.
    static func == (left: KindRef, right: KindRef) -> Bool { unsafe left.pointer == right.pointer }

    /// The place as a number.
    // SAFETY: it is not followed.
    var place: UInt { unsafe UInt(bitPattern: pointer) }

    var entry: KindEntry {
        // SAFETY: see the type.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        // SAFETY: see the type.
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }

    /// Shows the sink, without a retain: a pair of them costs as much as all the rest of the call (measured, 12 ns).
    // SAFETY: the table lets go of a sink by a notice, and notices wait until the call that is being told has returned.
    @inline(__always)
    func withSink(_ body: (Sink) -> Void) {
        guard let sink = unsafe entry.sink else { KindRef.trapVacant() }
        unsafe sink._withUnsafeGuaranteedRef(body)
    }

    @inline(never)
    private static func trapVacant() -> Never { trap("A record is of a kind that its handle has dropped. This is a bug of Portloop.") }
}

/// The kinds of a loop, by slot.
struct KindTable: ~Copyable {
    private var entries = BlockTable<KindEntry>()
    private var firstVacant = KindTable.none
    /// One counter for all slots, as with associations.
    private var lastGeneration: UInt32 = 0

    /// No slot.
    static let none = UInt32.max

    // SAFETY: a vacant entry's sink has been let go of.
    deinit {
        for slot in 0..<UInt32(entries.count) { unsafe self[slot].entry.sink?.release() }
    }

    // SAFETY: the table keeps the entry for as long as the ledger lives.
    @inline(__always)
    subscript(slot: UInt32) -> KindRef { unsafe KindRef(entries[slot]) }

    /// The kind a value of this ledger's names, if operations of it may be prepared.
    // SAFETY: the place is one that `add` gave out; entries keep theirs for as long as the table lives.
    @inline(__always)
    func open(_ kind: OperationKind) -> KindRef? {
        guard let pointer = unsafe UnsafeMutablePointer<KindEntry>(bitPattern: kind.place) else { return nil }
        return unsafe pointer.pointee.generation == kind.generation ? KindRef(pointer) : nil
    }

    /// Enters a kind, which is open at once. The caller links it to its handle.
    // SAFETY: the table's own reference to the sink is balanced in `drop` or `deinit`.
    mutating func add(_ handle: HandleRef, _ options: OperationOptions, _ sink: Sink) -> UInt32 {
        lastGeneration = lastGeneration == .max ? 1 : lastGeneration + 1
        let slot = firstVacant == KindTable.none ? UInt32(entries.count) : firstVacant
        let entry = unsafe KindEntry(
            generation: lastGeneration, handle: handle, sink: .passRetained(sink), address: options.address,
            bytesOnError: options.bytesOnError, next: handle.entry.firstKind, place: options.place)
        if slot == firstVacant {
            firstVacant = self[slot].entry.next
            self[slot].entry = entry
        } else {
            entries.append(entry)
        }
        return slot
    }

    /// Forgets a kind of which there is no record any more, and hands its sink to the caller, who lets go of it.
    // SAFETY: the reference that `add` took.
    mutating func drop(_ slot: UInt32) -> Sink? {
        let sink = unsafe self[slot].entry.sink?.takeRetainedValue()
        self[slot].entry.generation = 0
        unsafe self[slot].entry.sink = nil
        self[slot].entry.next = firstVacant
        firstVacant = slot
        return sink
    }
}
