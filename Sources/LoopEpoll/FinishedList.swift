internal import Synchronization

/// Operations that workers have finished, linked through their control blocks: any thread adds, the loop's takes all.
struct FinishedList: ~Copyable {
    /// The address of the one added last; zero for none.
    private let newest = Atomic<UInt>(0)

    /// Adds an operation; true if it is the only one, and so the loop does not know yet that there is something.
    ///
    /// May be called from any thread.
    borrowing func add(_ operation: Operation) -> Bool {
        // SAFETY: an address that `takeAll` makes an operation of again, while the ledger keeps it in place (C2).
        let address = unsafe UInt(bitPattern: operation.address)
        var seen = newest.load(ordering: .relaxed)
        while true {
            operation[\.next] = FinishedList.operation(at: seen)
            let (isAdded, found) = newest.weakCompareExchange(expected: seen, desired: address, ordering: .releasing)
            if isAdded { return seen == 0 }
            seen = found
        }
    }

    /// Takes every operation, in the order they were added.
    borrowing func takeAll() -> ParkingLot {
        var lot = ParkingLot()
        guard newest.load(ordering: .relaxed) != 0 else { return lot }
        var next = FinishedList.operation(at: newest.exchange(0, ordering: .acquiring))
        while let operation = next {
            next = operation.record.next
            lot.prepend(operation)
        }
        return lot
    }

    // SAFETY: the address is zero or was an operation's in `add`.
    private static func operation(at address: UInt) -> Operation? {
        unsafe UnsafeMutablePointer<EpollRequest>(bitPattern: address).map { unsafe Operation($0) }
    }
}
