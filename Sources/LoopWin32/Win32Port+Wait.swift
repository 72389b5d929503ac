public import LoopCore

// How a completion port works.
//
// Most interfaces for input and output say "you may read now". Windows says "I have read". One asks for the work first, with `ReadFile` or
// `WSARecv`, and gives the kernel two pieces of memory: the buffer, and a structure called OVERLAPPED, which stands for the operation. The
// call returns at once. The work goes on without the thread; when it is done, the kernel writes the status and the byte count into the
// OVERLAPPED and puts a *packet* into a queue. That queue is the completion port.
//
//     CreateIoCompletionPort(handle, port, key)       once for each handle: where its packets go, and a number of ours to mark them with
//     ReadFile(handle, buffer, …, overlapped)  ─┐     the work begins: success, or ERROR_IO_PENDING
//                                               │     … the kernel owns `buffer` and `overlapped` …
//     GetQueuedCompletionStatusEx(port, …)     ◄┘     key, address of the OVERLAPPED, count: the memory is ours again
//
// Everything that is difficult about it is in what this picture leaves out.
//
// 1. *Every call that did not fail at once is followed by one packet.* A read that finds its bytes there returns success, and its packet
//    comes all the same. So does that of a warning, such as ERROR_MORE_DATA for the first part of a long message. Only an error that the
//    call itself returns is followed by none. Who frees the memory too early has the kernel write into whatever is there by then. Who waits
//    for a packet that is not owed waits for ever. `Win32Port.isOwed` is this rule, and no adapter has to know it. (A handle can be told to
//    save the packet of immediate success. Then two ways lead to every result, and the port refuses such handles.)
//
// 2. *The packet is all there is.* It names no handle. Which operation it belongs to is known by the address of its OVERLAPPED alone: so an
//    address serves one operation at a time, and stays until its packet has come, even if the program has long lost interest. Here the
//    ledger owns that memory, and nobody else can free it.
//
// 3. *To cancel is to ask.* `CancelIoEx` says "found" of an operation that succeeds a moment later, and "not found" of one whose packet is
//    already in the queue. Either way there will be one packet, and it alone says what happened: STATUS_CANCELLED with the bytes that moved
//    before, or success. Nothing gives the memory back earlier, not even closing the handle, which only makes the kernel send the packets.
//
// 4. *Anybody may put anything into the queue.* `PostQueuedCompletionStatus` takes a key, a count and any number for a pointer; that is how
//    other threads wake this one. A job object posts the number of a process where the pointer would be. So a packet's pointer is a number
//    until we know better: first the key is compared, then the address is looked up among those that are owed a packet, and only then is
//    there an OVERLAPPED to look into. If that says that its work is still pending, somebody has posted its address, and the true packet is
//    still to come.
//
// 5. *A handle is bound to one port until it is closed*, and cannot be asked to which. Nor does it send packets at all if it was opened
//    without FILE_FLAG_OVERLAPPED: then its calls wait. Either mistake looks like an operation that takes long. `Win32Port.associate` finds
//    them out before the first operation.
//
// What is missing is readiness. A server with ten thousand idle connections does not want ten thousand buffers waiting in reads. There are
// two ways out. A read of zero bytes is pending until there is something to read, and takes nothing. And the driver below Winsock answers
// "which of these events has this socket", which is how `select` works; its answer is a packet like any other (Win32Port+Poll.swift).
//
// See "I/O Completion Ports", "Synchronous and Asynchronous I/O", "Canceling Pending I/O Operations" and the pages of the functions named
// here, all at learn.microsoft.com.

extension Win32Port {
    /// One look at the queue. Every packet of it is told apart before anybody's function runs.
    // SAFETY: the batch is the caller's for the time of the call, and no more than its places are filled. A packet is trivial, so it makes
    // no difference what was there.
    public func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        guard state.record.isOpen, batch.count > 0 else { return 0 }
        // What the port itself has queued is older than what the kernel is asked for now, but gets half of the places at most: neither
        // keeps the other out for longer than a turn.
        var filled = unsafe handOutReady(into: batch, from: 0, max: (batch.count + 1) / 2)
        let hasWork = filled > 0 || !state.record.ready.isEmpty || !state.record.fresh.isEmpty
        filled = unsafe fill(batch, from: filled, for: hasWork ? .poll : bound)
        runFresh()
        serveAgenda()
        return unsafe handOutReady(into: batch, from: filled, max: batch.count - filled)
    }

    /// Fills the batch with what the kernel has. Where packets among it are for nobody but the port there is room for more, which may be
    /// there: a batch with room left says that nothing is.
    // SAFETY: as for `wait`.
    private func fill(_ batch: UnsafeMutableBufferPointer<Packet>, from place: Int, for bound: WaitBound) -> Int {
        var (filled, bound) = (place, bound)
        while true {
            let room = batch.count - filled
            let count = askKernel(for: bound, max: room)
            for index in 0..<count {
                guard let packet = take(kernel.entry(index)) else { continue }
                unsafe batch.initializeElement(at: filled, to: packet)
                filled += 1
            }
            guard count == room, filled < batch.count else { return filled }
            bound = .poll
        }
    }

    /// At once while packets are queued here; otherwise only the kernel knows.
    public var nextDeadline: MonotonicInstant? {
        state.record.ready.isEmpty && state.record.fresh.isEmpty ? nil : MonotonicInstant(nanoseconds: 0)
    }

    // SAFETY: as for `wait`.
    private func handOutReady(into batch: UnsafeMutableBufferPointer<Packet>, from place: Int, max: Int) -> Int {
        var filled = place
        while filled < place + max, let packet = state.record.ready.popFirst() {
            unsafe batch.initializeElement(at: filled, to: packet)
            filled += 1
        }
        return filled
    }

    private func askKernel(for bound: WaitBound, max: Int) -> Int {
        guard max > 0 else { return 0 }
        state.record.metrics.kernelWaits += 1
        if bound != .poll { state.record.metrics.blockingWaits += 1 }
        return kernel.wait(bound, max: max)
    }

    // MARK: one packet

    /// Tells by its key what a packet is. Nil for those that are for nobody but the port: wakes, answers of the driver of
    /// sockets, and what the system's services are told.
    // SAFETY: the pointer is handed on or compared as a number; it is followed where its address is one that we wait for.
    func take(_ entry: KernelEntry) -> Packet? {
        let number = UInt(bitPattern: unsafe entry.block)
        switch entry.key {
        case PacketKey.operation.word: return takeOperation(entry, number)
        case PacketKey.wake.word where number == 0: return nil  // That it came has ended the wait.
        case PacketKey.readiness.word where state.record.asked.contains(number): return takeAnswer(number)
        case PacketKey.console.word where number == 0:
            services.controlCame(UInt32(entry.count))
            return nil
        case PacketKey.exit.word where number == 0:
            services.processEnded(UInt32(entry.count))
            return nil
        default:
            // A stranger's. The ledger counts it, and nobody follows its pointer.
            let completion = Completion(status: .success, count: entry.count)
            return unsafe Packet(key: PacketKey(rawValue: UInt64(entry.key)), block: entry.block, completion: completion)
        }
    }

    // SAFETY: the address is an operation's whose packet is owed, so its control block is in place (C2).
    private func takeOperation(_ entry: KernelEntry, _ number: UInt) -> Packet? {
        guard let block = unsafe entry.block, state.record.owed.contains(number) else {
            // A native call that was reported by its id alone, or a forgery. The ledger knows which addresses are its own, and the port
            // goes by what the packet itself says.
            let completion = Completion(status: entry.status, count: entry.count)
            return unsafe Packet(key: .operation, block: entry.block, completion: completion)
        }
        let operation = unsafe Operation(block: block)
        guard operation.status != .pending else {
            // The kernel has not finished this operation: somebody posted its address. The true packet is still to come.
            return unsafe Packet(key: .operation, block: block, completion: Completion(count: 0, status: .pending))
        }
        state.record.owed.remove(number)
        guard var completion = conclude(operation, count: entry.count) else { return nil }
        if !faults.isEmpty {
            guard let mistaken = mistaken(completion, operation) else { return nil }
            completion = mistaken
        }
        return unsafe Packet(key: .operation, block: block, completion: completion)
    }

    // SAFETY: the address is a request's that is with the driver, and the port keeps it in place until its packet.
    private func takeAnswer(_ number: UInt) -> Packet? {
        state.record.asked.remove(number)
        if let request = unsafe UnsafeMutablePointer<ReadinessRequest>(bitPattern: number) { note(unsafe Reference(request)) }
        return nil
    }

    /// What an operation came to, and the end of what it owned; nil if it goes on.
    @inline(__always)
    private func conclude(_ operation: Operation, count: Int) -> Completion? {
        let completion: Completion
        switch operation.record.verb {
        case .accept:
            guard let concluded = concludeAccept(operation, count: count) else { return nil }
            completion = concluded
        case .connect: completion = concludeConnect(operation, count: count)
        default:
            completion = operation.completion(count: count)
            release(operation.takeWork())
        }
        // A room for an address that nothing was written to holds none.
        let hasFailed = completion.severity == .error || completion.severity == .aborted
        if hasFailed, operation.record.verb == .receive { operation.addressLength = 0 }
        operation.record.place = .finished
        return completion
    }

    /// For tests of the tests: the completion as a port with faults sees it.
    private func mistaken(_ completion: Completion, _ operation: Operation) -> Completion? {
        if operation.record.traits.contains(.isTakenForGone) { return nil }
        if operation.record.traits.contains(.isTakenForAborted) { return .aborted(count: 0) }
        var completion = completion
        if faults.contains(.dropsAbortedCounts), completion.severity == .aborted { completion.count = 0 }
        return completion
    }
}
