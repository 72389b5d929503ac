public import LoopCore

extension Win32Port {
    public func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError) {
        guard state.record.isOpen else { throw .closed }
        guard key.generation != 0 else { trap("Associating handle \(handle.rawValue) expects a generation from 1 on, but got 0.") }
        let object = try KernelObject(handle)
        let known = state.record.keys[handle].flatMap { state.record.handles.find($0) }
        // The driver that knows of readiness is asked on a handle of its own.
        if !options.contains(.pollsOnly) { try bind(handle, object, isAssociated: known != nil) }

        // The kernel took the number as new, so whatever had it here was closed without a word.
        if let known { forget(known, because: Completion(status: .invalidHandle, count: 0)) }
        place(key, handle, object)
        state.record.keys[handle] = key
        if !options.contains(.pollsOnly) { state.record.bound[handle] = object }
        if faults.contains(.skipsPacketsOnSuccess) { Native.skipPacketsOnSuccess(handle) }
    }

    public func dissociate(_ handle: NativeHandle, as key: HandleKey) {
        guard let bound = state.record.handles.find(key) else { return }
        // Whatever has the number now: the kernel is told nothing. FileReplaceCompletionInformation (Windows 8.1) would unbind it, and if
        // the handle was closed and recycled without a word, what it would unbind is a stranger's.
        state.record.keys[bound.record.handle] = nil
        forget(bound, because: .aborted(count: 0))
    }

    public func close(acquired handle: NativeHandle) {
        if handle != .invalid { Native.close(socket: handle.rawValue) }
    }

    /// Asks the kernel to send the handle's packets here.
    ///
    /// One code, 87, stands for three refusals. A synchronous handle has been found out before. The other two are "bound to this port" and
    /// "bound to another one", and there is no question that tells them apart: a kernel object does not say where its packets go. So the
    /// port remembers what it has bound. A number that was closed and recycled comes back as a new object, which the kernel binds; only one
    /// that somebody else has bound in between, to another port, is not to be told from our own, if it is of the same kind. Its operations
    /// get no packets here, and end as stuck (C8).
    private func bind(_ handle: NativeHandle, _ object: KernelObject, isAssociated: Bool) throws(AssociationError) {
        switch Native.bind(handle, to: portWaker.port, .operation) {
        case .none: return
        case .invalidHandle: throw .badHandle
        case .invalidParameter:
            if isAssociated { throw .alreadyAssociated }
            if state.record.bound[handle] != object { throw .boundElsewhere }
        case let code: throw .system(code)
        }
    }

    private func place(_ key: HandleKey, _ handle: NativeHandle, _ object: KernelObject) {
        let bound = state.record.handles.place(for: key.slot)
        bound.record.word = key.word
        bound.record.handle = handle
        bound.record.object = object
        bound.record.baseSocket = nil
    }

    /// Ends an association: what waits here gets its packet, and the key is nobody's. What is with the kernel gets its own packet from it.
    private func forget(_ handle: BoundHandle, because completion: Completion) {
        handle.record.word = BoundHandleRecord.free
        handle.record.found = .none
        takeBack(handle)
        endAll(on: handle, completion)
    }
}
