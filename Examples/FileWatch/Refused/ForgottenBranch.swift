import LoopCore

func read(_ operations: Operations, _ handle: AssociatedHandle, isReady: Bool) async throws(OperationError) {
    // example: ForgottenBranch
    _ = try await operations.perform(on: handle, capacity: 64) { op in
        if isReady { return op.read() }
    }  // error: missing return in closure expected to return 'Decision'
    // example end
}
