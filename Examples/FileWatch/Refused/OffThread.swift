import LoopCore

func watch(_ operations: Operations, _ handle: AssociatedHandle) {
    // example: OffThread
    Task.detached {  // error: passing closure as a 'sending' parameter risks causing data races
        _ = try await operations.perform(on: handle, capacity: 64) { op in op.read() }
    }
    // example end
}
