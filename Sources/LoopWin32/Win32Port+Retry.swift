internal import LoopCore

// What is started again: questions to the driver of sockets, and accepts whose peer has gone.

extension Win32Port {
    // MARK: questions to the driver

    /// Sees to it that the driver is asked for what is waited for on a socket, by one question for all. Returns what it refused with.
    ///
    /// A question that is with the driver already and covers everything is left alone; who has come since is asked for when it is answered.
    /// One that is too narrow is taken back, and its packet asks anew. One that is too wide is not worth the trouble: what nobody waits for
    /// is answered to nobody, once.
    func ask(_ handle: BoundHandle) -> SystemCode? {
        let events = handle.record.eventsWaitedFor
        guard !events.isEmpty else { return nil }
        guard let request = handle.record.request else { return put(handle, events) }
        if !request.record.isCancelled, !events.isSubset(of: request.record.events), let helper = state.record.helper {
            request.record.isCancelled = true
            request.callCancel(helper)
        }
        return nil
    }

    /// Gives up a question whose answer nobody is going to look at. Its memory is the driver's until its packet.
    func takeBack(_ handle: BoundHandle) {
        guard let request = handle.record.request, let helper = state.record.helper else { return }
        handle.record.request = nil
        request.record.key = ReadinessRequest.nobody
        request.callCancel(helper)
    }

    private func put(_ handle: BoundHandle, _ events: ReadinessEvents) -> SystemCode? {
        let (helper, socket): (Int, Int)
        do throws(SystemError) {
            helper = try readinessHelper()
            socket = try baseSocket(of: handle)
        } catch {
            return error.code
        }
        let request = state.record.requests.take(for: HandleKey(word: handle.record.word))
        request.record.events = events
        let code = request.callSubmit(helper, socket)
        guard code == .none || code == .pending else {
            state.record.requests.giveBack(request)
            return code
        }
        state.record.asked.insert(request.number)
        state.record.readinessRequests += 1
        handle.record.request = request
        handle.record.markAsked()
        return nil
    }

    private func readinessHelper() throws(SystemError) -> Int {
        if let helper = state.record.helper { return helper }
        let helper = try Native.openReadinessHelper()
        let code = Native.bind(NativeHandle(rawValue: helper), to: portWaker.port, .readiness)
        guard code == .none else {
            Native.close(helper)
            throw SystemError(code: code)
        }
        // TODO(perf): one for each 500 sockets. Taking a question back costs time that grows with how many the handle has.
        state.record.helper = helper
        return helper
    }

    private func baseSocket(of handle: BoundHandle) throws(SystemError) -> Int {
        if let known = handle.record.baseSocket { return known }
        let found = try Native.baseSocket(of: handle.record.handle)
        handle.record.baseSocket = found
        return found
    }

    // MARK: connections

    /// What becomes of an accept when its packet has come; nil if it was started again.
    ///
    /// A connection that was reset while it waited is not this accept's failure. It is started once more, unless somebody wants it to end.
    func concludeAccept(_ operation: Operation, count: Int) -> Completion? {
        guard case .room(let room) = operation.record.work else { trap("An accept has lost its socket.") }
        var completion = operation.completion(count: count)
        if completion.severity == .success {
            let code = Native.finishAccept(room.record.socket, from: operation.record.handle)
            if code != .none { completion = .failure(code) }
        }
        if completion.error.isOfPendingConnection, acceptAgain(operation, room) { return nil }
        if completion.severity == .success {
            // SAFETY: the room for the address is the ledger's until the packet is handed out.
            if let address = unsafe operation.record.address { unsafe Native.peer(of: room.record.socket, address) }
            completion.acquired = NativeHandle(rawValue: room.record.socket)
            room.record.socket = -1
        }
        release(operation.takeWork())
        return completion
    }

    private func acceptAgain(_ operation: Operation, _ room: Reference<AcceptRoom>) -> Bool {
        guard !operation.record.traits.contains(.isCancelled) else { return false }
        guard let handle = state.record.handles.find(operation.record.key) else { return false }
        room.record.closeSocket()
        do throws(SystemError) { room.record.socket = try Native.makeSocket(like: handle.record.object) } catch { return false }
        operation.clearOverlapped()
        guard isOwed(operation.callAccept(room), operation) else { return false }
        _ = owe(operation)
        return true
    }

    func concludeConnect(_ operation: Operation, count: Int) -> Completion {
        let completion = operation.completion(count: count)
        guard completion.severity == .success else { return completion }
        let code = Native.finishConnect(operation.record.handle)
        return code == .none ? completion : .failure(code)
    }
}

extension BoundHandleRecord {
    /// What has to be asked for, for all who wait.
    fileprivate var eventsWaitedFor: ReadinessEvents {
        var interest: Readiness = []
        if !reads.isEmpty { interest.insert(.readable) }
        if !writes.isEmpty { interest.insert(.writable) }
        var next = waiters.first
        while let operation = next {
            interest.formUnion(operation.record.interest)
            next = operation.record.next
        }
        return interest.isEmpty ? [] : ReadinessEvents(interest)
    }

    /// Who waits now is asked for.
    fileprivate func markAsked() {
        var next = waiters.first
        while let operation = next {
            operation.record.traits.insert(.isAsked)
            next = operation.record.next
        }
    }
}
