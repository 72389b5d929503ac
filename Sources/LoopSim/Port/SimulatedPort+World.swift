public import LoopCore

// What a test may do to the simulated world: make things that handles name, act on the other side, complete by hand, let time pass.
extension SimulatedPort {
    // MARK: making

    /// A connected byte stream. Each way holds at most `bytesMax` bytes that nobody has read; then writes wait.
    public func makeStreamPair(bytesMax: Int = 65_536) -> (near: NativeHandle, far: NativeHandle) {
        let (near, far) = (StreamEnd(bytesMax: bytesMax), StreamEnd(bytesMax: bytesMax))
        near.join(far)
        return (kernel.register(near), kernel.register(far))
    }

    /// A connected pair of datagram ends. Each way holds at most `messagesMax` messages; then sends wait.
    public func makeDatagramPair(messagesMax: Int = 64) -> (near: NativeHandle, far: NativeHandle) {
        let near = DatagramEnd(messagesMax: messagesMax, address: kernel.objects.newAddress())
        let far = DatagramEnd(messagesMax: messagesMax, address: kernel.objects.newAddress())
        near.join(far)
        return (kernel.register(near), kernel.register(far))
    }

    /// A file in memory.
    public func makeFile(_ contents: [UInt8]) -> NativeHandle { kernel.register(FileObject(contents)) }

    /// A stream that is not connected yet.
    public func makeSocket(bytesMax: Int = 65_536) -> NativeHandle { kernel.register(StreamEnd(bytesMax: bytesMax)) }

    /// Something to connect to, and the address to do it at. Connects beyond `backlogMax` that nobody has accepted wait.
    public func makeListener(backlogMax: Int = 8, bytesMax: Int = 65_536) -> (handle: NativeHandle, address: SocketAddress) {
        let listener = Listener(address: kernel.objects.newAddress(), backlogMax: backlogMax, bytesMax: bytesMax)
        return (kernel.register(listener), listener.address)
    }

    /// Connects to a listener without an operation, as a stranger would. Nil where the backlog is full or nobody listens.
    public func connectClient(to address: SocketAddress) -> NativeHandle? {
        let client = StreamEnd(bytesMax: 65_536)
        guard let listener = kernel.listener(at: address), listener.hasRoom else { return nil }
        _ = listener.admit(client, kernel)
        kernel.settle()
        return kernel.register(client)
    }

    /// A driver whose operations end only by ``complete(_:_:bytes:position:)``, or by a cancel.
    public func makeDevice() -> NativeHandle { kernel.register(Device()) }

    /// Closes a handle. Its number goes to the next object that is made. A handle MUST be retired before; one that is not is C13's case.
    public func close(_ handle: NativeHandle) { kernel.close(handle) }

    /// Handles that are open: zero at the end of a tidy test.
    public var openHandleCount: Int { kernel.objects.openCount }

    // MARK: the other side, and an adapter's own non-blocking calls

    /// Sends bytes from this end, without an operation. Returns how many there was room for; a datagram is sent whole or not at all.
    public func feed(_ handle: NativeHandle, _ bytes: [UInt8]) -> Int {
        let count = kernel.object(handle).put(bytes[...], kernel)
        kernel.settle()
        return count
    }

    /// Takes what has arrived at this end, without an operation: nil where there is nothing, empty at the end of a stream.
    public func drain(_ handle: NativeHandle, max bytesMax: Int) -> [UInt8]? {
        let bytes = kernel.object(handle).take(bytesMax, kernel)
        kernel.settle()
        return bytes.map { [UInt8]($0) }
    }

    /// Pulls the cable at this end. The number stays open; the other end reads what has arrived, and then the end of the stream.
    public func hangUp(_ handle: NativeHandle) {
        kernel.object(handle).hangUp(kernel)
        kernel.settle()
    }

    /// What a file holds now.
    public func contents(_ file: NativeHandle) -> [UInt8] {
        guard let object = kernel.object(file) as? FileObject else { trap("Handle \(file.rawValue) is not a file.") }
        return object.contents
    }

    // MARK: by hand

    /// Operations that wait at a handle.
    public func parkedCount(_ handle: NativeHandle) -> Int { kernel.object(handle).parked.count }

    /// Completes an operation that waits at a handle, the oldest unless another position is given. False where none waits there.
    @discardableResult
    public func complete(_ handle: NativeHandle, _ completion: Completion, bytes: [UInt8] = [], position: Int = 0) -> Bool {
        let parked = kernel.object(handle).parked
        guard parked.indices.contains(position) else { return false }
        parked[position].memory.put(bytes[...])
        kernel.finish(parked[position], completion)
        return true
    }

    /// Replaces what a file holds.
    package func setContents(_ file: NativeHandle, _ bytes: [UInt8]) {
        guard let object = kernel.object(file) as? FileObject else { trap("Handle \(file.rawValue) is not a file.") }
        object.contents = bytes
    }

    /// Completes the oldest read or native call that waits at a handle, with as many of the bytes as it has room for.
    @discardableResult
    public func complete(_ handle: NativeHandle, bytes: [UInt8]) -> Bool {
        guard let operation = kernel.object(handle).parked.first(where: { $0.verb.takesBytesByHand }) else { return false }
        kernel.finish(operation, SimulatedStatus.success.completion(count: operation.memory.put(bytes[...])))
        return true
    }

    /// The operations that ``SimulatedFaults/getsStuck`` lost are aborted after all.
    public func releaseStuck() { kernel.releaseStuck() }

    /// Every operation that has not finished is aborted, stuck ones too: what a reset of the bus does.
    public func abortEverything() { kernel.abortEverything() }

    /// An adapter's own native call on a device, as it would make it inside `op.submit { block, buffer in … }`.
    ///
    /// Returns `code`, which says what becomes of it: pending (997) leaves it for ``complete(_:_:bytes:position:)``, zero and the warning
    /// 234 complete it at once with the buffer's size, an error owes no packet.
    // SAFETY: the memory is the operation's, and the kernel's until the packet (C2); the caller hands on what the seam lent it.
    public func startNative(
        on device: NativeHandle, _ block: UnsafeMutableRawPointer, _ buffer: UnsafeMutableRawBufferPointer,
        answering code: SystemCode = .simulatedPending
    ) -> Int32 {
        let object = kernel.object(device)
        guard case .owesPacket = classify(code.rawValue) else { return code.rawValue }
        let request = unsafe PortRequest(
            block: block, buffer: buffer, address: nil, handle: device, key: object.key ?? HandleKey(slot: 0, generation: 0), inline: .never
        )
        if case .refused(let refusal) = kernel.start(.native, LentMemory(request), at: object) { return refusal.rawValue }
        guard code != .simulatedPending else { return code.rawValue }
        let status = code == .none ? SimulatedStatus.success : .moreData
        kernel.finishLast(status.completion(count: buffer.count))
        return code.rawValue
    }

    // MARK: time and trouble

    /// Runs a function after a time on the virtual clock, from within a wait: it may do to the world what a test may, and to the loop what
    /// another thread may.
    public func after(_ nanoseconds: UInt64, _ call: @escaping () -> Void) { kernel.schedule(.call(call), after: nanoseconds) }

    /// What a wait does that would last for ever. Without one it ends the process: in a simulation that is a deadlock.
    ///
    /// A test with real threads blocks here until one of them has posted, and answers ``IdleAnswer/lookAgain``.
    public func whenIdle(_ answer: (() -> IdleAnswer)?) { kernel.whenIdle = answer }

    /// What may go wrong from now on.
    public var faults: SimulatedFaults {
        get { kernel.faults }
        set { kernel.faults = newValue }
    }

    /// Whether the packet of the operation at an address is ready, or on its way.
    package func isAnswering(_ block: UInt) -> Bool { kernel.isAnswering(block) }

    /// A broken kernel, for tests of the tests.
    package var bug: KernelBug? {
        get { kernel.bug }
        set { kernel.bug = newValue }
    }
}
