public import LoopCore

// How a completion port works.
//
// Most interfaces for input and output say "you may read now". Windows says "I have read". One asks for the work first, with `ReadFile` or
// `WSARecv`, and gives the kernel two pieces of memory: the buffer, and a structure called OVERLAPPED, which stands for the operation. The
// call returns at once. The work goes on without the thread, and when it is done the kernel writes the status and the byte count into the
// OVERLAPPED and puts a *packet* into a queue. That queue is the completion port:
//
//     CreateIoCompletionPort(handle, port, key)       once for each handle: where its packets are to go, and a number of ours for them
//     ReadFile(handle, buffer, …, overlapped)  ─┐     the work begins; 0 or ERROR_IO_PENDING
//                                               │     … the kernel owns `buffer` and `overlapped` …
//     GetQueuedCompletionStatusEx(port, …)     ◄┘     (key, address of the overlapped, byte count): the memory is ours again
//
// All that is difficult about it is in what this picture does not say.
//
// 1. One packet for each call that did not fail at once. A read that finds its bytes there returns success, and is still followed by a
//    packet. So is a warning, such as ERROR_MORE_DATA for the first part of a long message. Only an error that the call itself returns is
//    followed by none. Who frees the memory too early is written to by the kernel, later, wherever that memory is then; who waits for a
//    packet that is not owed waits for ever. (Handles can be told to save the packet of immediate success. Then two ways lead to every
//    result, and the port refuses such handles.) `Win32Port.isOwed` is this rule.
//
// 2. The packet is all there is. It has no handle and no error code: a key, a pointer, a count, and the status in the OVERLAPPED. Which
//    operation it was is known by its address alone, so an address must not serve two operations at a time, and must stay until its packet
//    has come, whatever the program has lost interest in meanwhile.
//
// 3. Cancelling is a request. `CancelIoEx` says "found" of an operation that succeeds a moment later, and "not found" of one whose packet
//    is still in the queue. In either case there will be one packet, and it says what happened: STATUS_CANCELLED and how many bytes moved
//    before, or success. There is no call that gives the memory back early. Even closing the handle only makes the kernel send the packets.
//
// 4. Anybody may put anything into the queue. `PostQueuedCompletionStatus` takes a key, a count and any number for a pointer; that is how
//    other threads wake this one. A job object that was given the port posts process numbers in the place of the pointer. So the pointer of
//    a packet is a number until we know better: first the key is compared, then the address is looked up among those we wait for, and only
//    then is there an OVERLAPPED to look into. If that says that its work is still pending, the packet was forged.
//
// 5. A handle is bound to one port, for ever, and to none but by an operation's own memory can it be told which. Two libraries cannot share
//    one, and a handle that was opened without FILE_FLAG_OVERLAPPED does its work inside the call and never sends a packet. Both look like
//    an operation that takes long. `Win32Port.associate` finds them out.
//
// What is missing: readiness. A server with ten thousand idle connections does not want ten thousand buffers waiting in reads. Two ways out
// are used here. A read of zero bytes is pending until there is something to read, and takes nothing. And the driver of sockets answers
// "which of these events has this socket", which is how `select` works; its answer is a packet like any other (Win32Port+Poll.swift).
//
// References, all at learn.microsoft.com: "I/O Completion Ports", "Synchronous and Asynchronous I/O", "Canceling Pending I/O Operations",
// and the pages of the functions named here. docs/Windows.md quotes the sentences that this port stands on.

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
        let count = askKernel(for: hasWork ? .poll : bound, max: batch.count - filled)
        for index in 0..<count {
            guard let packet = take(kernel.entry(index)) else { continue }
            unsafe batch.initializeElement(at: filled, to: packet)
            filled += 1
        }
        runFresh()
        serveAgenda()
        return unsafe handOutReady(into: batch, from: filled, max: batch.count - filled)
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

    /// Tells by its key what a packet is. Nil for those that are for nobody but the port: wakes, and answers of the driver of sockets.
    // SAFETY: the pointer is handed on or compared as a number; it is followed where its address is one that we wait for.
    func take(_ entry: KernelEntry) -> Packet? {
        let number = UInt(bitPattern: unsafe entry.block)
        switch entry.key {
        case PacketKey.operation.word: return takeOperation(entry, number)
        case PacketKey.wake.word where number == 0: return nil  // That it came has ended the wait.
        case PacketKey.readiness.word where state.record.asked.contains(number): return takeAnswer(number)
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
