internal import Glibc
public import LoopCore

extension EpollPort {
    public func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError) {
        guard state.record.isOpen else { throw .closed }
        guard !isForked else { throw .forked }
        guard key.generation != 0 else { trap("Associating handle \(handle.rawValue) expects a generation from 1 on, but got 0.") }
        guard let fd = Int32(exactly: handle.rawValue) else { throw .badHandle }
        let object = try kernelObject(fd)
        if Bindings.shared.isElsewhere(fd, than: binding) { throw .boundElsewhere }
        let known = state.record.keys[fd].flatMap { state.record.descriptors.find($0) }
        let kind = try enroll(fd, key, object, options, known)

        // The kernel took the number as new, so whatever had it here was closed without a word.
        if let known { forget(known, because: .failure(.badDescriptor)) }
        place(key, fd, kind, object, options)
        state.record.keys[fd] = key
        Bindings.shared.record(fd, binding)
        state.record.brokenPipes.cover(Native.currentThread)
    }

    public func dissociate(_ handle: NativeHandle, as key: HandleKey) {
        guard let descriptor = state.record.descriptors.find(key) else { return }
        let fd = descriptor.record.fd
        // In a fork the registration is the parent's. Anywhere else a refusal means that the number was closed: the kernel has
        // forgotten it already.
        if !isForked, descriptor.record.kind != .file {
            _ = kernel.register(fd, .remove, [], word: key.word)
        }
        state.record.keys[fd] = nil
        Bindings.shared.forget(fd, binding)
        forget(descriptor, because: .aborted(count: 0))
    }

    public func close(acquired handle: NativeHandle) {
        if let fd = Int32(exactly: handle.rawValue), fd >= 0 { Native.close(fd) }
    }

    private func kernelObject(_ fd: Int32) throws(AssociationError) -> KernelObject {
        let object: KernelObject
        do throws(SystemError) {
            object = try KernelObject(fd: fd)
        } catch {
            throw error.code == .badDescriptor ? .badHandle : .system(error.code)
        }
        if object.isDirectory { throw .directory }
        return object
    }

    /// Asks the kernel to watch the descriptor, and says what it is.
    private func enroll(
        _ fd: Int32, _ key: HandleKey, _ object: KernelObject, _ options: AssociationOptions, _ known: Descriptor?
    ) throws(AssociationError) -> DescriptorKind {
        switch kernel.register(fd, .add, .standing, word: key.word) {
        case .count: break
        case .failed(.exists): throw .alreadyAssociated
        case .failed(.badDescriptor): throw .badHandle
        case .failed(.notPermitted):
            // Always ready, so epoll has nothing to say of it, not even that it is there already. Our own table must, and cannot tell
            // whether the file was closed and opened again in between.
            if known?.record.object?.isSameFile(as: object) == true { throw .alreadyAssociated }
            return .file
        case .failed(let code): throw .system(code)
        }
        do throws(AssociationError) {
            try ensureNonblocking(fd, options)
        } catch {
            _ = kernel.register(fd, .remove, [], word: key.word)
            throw error
        }
        return DescriptorKind(fd: fd, object)
    }

    private func ensureNonblocking(_ fd: Int32, _ options: AssociationOptions) throws(AssociationError) {
        if options.contains(.pollsOnly) { return }
        switch Native.statusFlags(fd) {
        case .failed(let code): throw .system(code)
        case .count(let flags) where flags & Int(O_NONBLOCK) != 0: return
        case .count(let flags):
            guard options.contains(.setNonblocking) else { throw .blocking }
            if case .failed(let code) = Native.setStatusFlags(fd, flags | Int(O_NONBLOCK)) { throw .system(code) }
        }
    }

    private func place(
        _ key: HandleKey, _ fd: Int32, _ kind: DescriptorKind, _ object: KernelObject, _ options: AssociationOptions
    ) {
        let descriptor = state.record.descriptors.place(for: key.slot)
        descriptor.record.word = key.word
        descriptor.record.fd = fd
        descriptor.record.kind = kind
        descriptor.record.object = object
        descriptor.record.vouchesForShortReads = options.contains(.shortReadsEmpty)
        descriptor.record.drainsBetweenWaits = options.contains(.drainsBetweenWaits)
        descriptor.record.registered = .standing
        descriptor.record.ending = []
        descriptor.record.waitersAreDue = false
        descriptor.record.isThrottled = false
        // What can be read brings an edge at once, with the registration; that there is room to write must be tried.
        descriptor.reads.record = LaneRecord(maybeReady: kind == .file)
        descriptor.writes.record = LaneRecord(maybeReady: true)
    }

    /// Ends an association: what still waits there gets its packet, and the key is nobody's.
    private func forget(_ descriptor: Descriptor, because completion: Completion) {
        descriptor.record.word = DescriptorRecord.free
        var works: [Work] = []
        finishAll(&descriptor.reads.record.parked, completion, &works)
        finishAll(&descriptor.writes.record.parked, completion, &works)
        finishAll(&descriptor.record.waiters, completion, &works)
        // The adapters' functions go last: what they held may call back as it goes.
        withExtendedLifetime(works) {}
    }

    private func finishAll(_ lot: inout ParkingLot, _ completion: Completion, _ works: inout [Work]) {
        while let operation = lot.popFirst() {
            var own = completion
            own.count = operation.record.progress
            works.append(queuePacket(operation, own))
        }
    }
}
