import LoopCore

actor Sensor {
    private var kept: PreparedOp?

    // example: Stashed
    func read(_ operations: Operations, _ handle: AssociatedHandle) throws(OperationError) {
        try operations.perform(on: handle, capacity: 64) { op in  // error: 'op' consumed more than once
            kept = consume op
            return op.read()
        } completed: { _, _ in
        }
    }
    // example end
}
