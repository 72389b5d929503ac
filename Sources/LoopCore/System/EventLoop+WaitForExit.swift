public import _Concurrency

extension EventLoop {
    /// Waits until a process has ended, and takes its status. The process goes on when the wait is cancelled or timed out, and can be
    /// waited for again.
    ///
    /// ```swift
    /// let status = try await loop.waitForExit(.id(pid), timeout: .seconds(10))
    /// ```
    ///
    /// On Linux it MUST be a child of this process, and its status can be taken once: the wait reaps it. The descriptor that
    /// ``ProcessReference/handle(_:)`` names is put in non-blocking mode.
    public func waitForExit(
        _ process: ProcessReference, timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws(ProcessError) -> ExitStatus {
        let core = core
        guard let system = core.port.system else { throw .notSupported }
        guard !core.isClosing else { throw .closed }
        let watch = try system.watchProcess(process)
        let cause: ProcessError?
        if let handle = watch.pollableHandle {
            cause = await pollForExit(handle, timeout, isolation: isolation)
        } else {
            cause = await hearOfExit(watch, timeout, isolation: isolation)
        }
        defer { watch.close() }
        // An end that came first is one, whatever ended the wait.
        if let status = try watch.takeStatus() { return status }
        throw cause ?? .closed
    }

    /// Waits until the process's handle is readable; nil if it is.
    private func pollForExit(
        _ native: NativeHandle, _ timeout: Duration?, isolation: isolated (any Actor)?
    ) async -> ProcessError? {
        let ops = operationsOnThisThread()
        let handle: AssociatedHandle
        do throws(AssociationError) { handle = try ops.associate(native, options: .setNonblocking) } catch { return .association(error) }
        let cause: ProcessError?
        do throws(OperationError) {
            let outcome = try await ops.perform(on: handle, timeout: timeout) { op in op.poll(.readable) }
            cause = ops.core.causeOfEnd(outcome.end, outcome.error)
        } catch {
            cause = error == .cancelled ? .cancelled : error == .closed ? .closed : .operation(error)
        }
        _ = try? await ops.awaitRetire(handle)
        return cause
    }

    /// Waits until the platform calls; nil if it does.
    private func hearOfExit(
        _ watch: any ProcessWatch, _ timeout: Duration?, isolation: isolated (any Actor)?
    ) async -> ProcessError? {
        let core = core
        let call = ParkedCall()
        let deadline = timeout.map { core.port.now().advanced(by: $0.wholeNanoseconds) }
        var refusal: SystemRefusal?
        let wakeup = await park(in: call.list, until: deadline, for: .process) {
            do throws(SystemRefusal) {
                try watch.notify { self.post { loop in call.ring(loop) } }
            } catch {
                refusal = error
                core.wakeFirst(of: call.list)
            }
        }
        if let refusal { return .system(refusal.code) }
        switch wakeup {
        case .signalled: return nil
        case .timedOut: return .timedOut
        case .cancelled: return .cancelled
        case .closed: return .closed
        }
    }
}

extension Core {
    fileprivate func causeOfEnd(_ end: WaitEnd, _ error: SystemCode) -> ProcessError? {
        switch end {
        case .finished: error == .none ? nil : isClosing ? .closed : .system(error)
        case .timedOut: .timedOut
        case .cancelled, .stuck: isClosing ? .closed : .cancelled
        }
    }
}

/// One wait that another thread may end. The list is the loop's; only the reference to it travels.
final class ParkedCall: Sendable {
    private nonisolated(unsafe) let waiters = WaitList()

    // SAFETY: on the loop's thread.
    var list: WaitList { unsafe waiters }

    /// Wakes whoever waits, on the loop's thread.
    func ring(_ loop: EventLoop) { loop.core.wakeFirst(of: list) }
}
