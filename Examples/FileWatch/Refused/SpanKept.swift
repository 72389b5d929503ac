import LoopCore

func read(_ operations: Operations, _ handle: AssociatedHandle) async throws(OperationError) {
    let outcome = try await operations.perform(on: handle, capacity: 64) { op in op.read() }
    // example: SpanKept
    var kept = RawSpan()  // error: lifetime-dependent variable 'kept' escapes its scope
    outcome.withBytes { bytes in kept = bytes }
    // example end
    _ = kept.byteCount
}
