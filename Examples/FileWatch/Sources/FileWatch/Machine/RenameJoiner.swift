/// Joins the two halves of a rename to one event, and makes something true of a half that stays alone.
///
/// Both kernels send "moved from" and "moved to" one behind the other, but not as one: another record may come in between, the directory
/// may be only one of two ends, and the second half may be late. A half therefore waits for the very next record, and for no other.
struct RenameJoiner {
    private var half: (name: FileName, number: UInt32)?

    /// Whether a half waits: then somebody has to call ``flush(_:)`` if nothing follows.
    var isWaiting: Bool { half != nil }

    mutating func add(_ change: Change, _ emit: (DirectoryEvent) -> Void) {
        if case .movedTo(let name, let number) = change, let first = half, first.number == number {
            half = nil
            return emit(.renamed(from: first.name, to: name))
        }
        flush(emit)
        switch change {
        case .movedFrom(let name, let number): half = (name, number)
        case .created(let name), .movedTo(let name, _): emit(.created(name))
        case .removed(let name): emit(.removed(name))
        case .modified(let name): emit(.modified(name))
        case .attributesChanged(let name): emit(.attributesChanged(name))
        case .lost(let reason): emit(.rescan(reason))
        case .gone, .failed: break  // No event: the end of all.
        }
    }

    /// The other half did not come: as far as the directory is concerned the entry is gone.
    mutating func flush(_ emit: (DirectoryEvent) -> Void) {
        if let first = half { emit(.removed(first.name)) }
        half = nil
    }
}
