import LoopCore

func read(_ operations: Operations, _ handle: AssociatedHandle) async throws(OperationError) {
    // example: DecidedTwice
    _ = try await operations.perform(on: handle, capacity: 64) { op in  // error: 'op' consumed more than once
        _ = op.read()
        return op.read()
    }
    // example end
}
