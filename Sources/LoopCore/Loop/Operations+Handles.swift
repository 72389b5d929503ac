extension Operations {
    /// Binds a handle to the loop, for as long as it is not retired. The handle stays the caller's, who closes it after ``retire(_:_:)``.
    ///
    /// It refuses, with a named error, whatever would hang: a handle that is not overlapped, one that is bound to another port, a
    /// descriptor in blocking mode, a console, a directory.
    public func associate(_ handle: NativeHandle, options: AssociationOptions = []) throws(AssociationError) -> AssociatedHandle {
        try ledger.associate(handle, options)
    }

    /// Gives a handle back to its caller: refuses new operations, cancels those in flight, and waits for their packets, at most for the
    /// cancel grace. **Mandatory before the handle is closed.**
    ///
    /// `done` is called from a later phase of the loop, once, when the handle may be closed. Operations whose packet did not come are
    /// orphaned: their memory stays with the loop, and the report counts them. A task waits with ``awaitRetire(_:)``.
    public func retire(_ handle: AssociatedHandle, _ done: ((RetireReport) -> Void)? = nil) throws(OperationError) {
        try ledger.beginRetire(handle, done)
        let slot = handle.key.slot
        guard ledger.handles.isCurrent(handle.key), ledger.handles[slot].entry.phase == .retiring else { return }
        let bound = core.port.now().advanced(by: core.limits.cancelGraceNanoseconds)
        ledger.handles[slot].entry.retireWait?.grace = core.timers.insert(bound, .retireGrace(handle.key, .running))
    }

    /// Whether the handle takes operations.
    public func isAssociated(_ handle: AssociatedHandle) -> Bool { ledger.isAssociated(handle) }
}
