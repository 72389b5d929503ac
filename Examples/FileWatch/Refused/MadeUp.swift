import LoopCore

func read(_ operations: Operations, _ handle: AssociatedHandle) async throws(OperationError) {
    // example: MadeUp
    let outcome = try await operations.perform(on: handle) { op in
        Decision(id: op.id, outcome: anything())  // error: 'Decision' initializer is inaccessible due to 'internal' protection level
    }
    // example end
    _ = outcome.count
}

/// A value of any type, as far as the compiler is concerned.
func anything<T>() -> T { fatalError() }
