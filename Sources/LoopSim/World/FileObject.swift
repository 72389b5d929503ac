internal import LoopCore

/// A file in memory. It is always ready; reading past its end brings zero bytes, writing there makes it longer.
final class FileObject: SimulatedObject {
    var contents: [UInt8]

    init(_ contents: [UInt8]) { self.contents = contents }

    override func perform(_ operation: SimulatedOperation, _ kernel: SimulatedKernel) -> Completion? {
        switch operation.verb {
        case .read(let offset): read(operation, place(offset))
        case .write(let segments, let offset): write(operation, segments, place(offset))
        case .receive, .send, .accept, .connect: SimulatedStatus.invalidRequest.completion()
        case .poll, .attempt, .native: nil
        }
    }

    private func place(_ offset: FileOffset?) -> Int { Int(clamping: offset?.rawValue ?? 0) }

    private func read(_ operation: SimulatedOperation, _ place: Int) -> Completion {
        let available = contents.dropFirst(place).prefix(operation.memory.capacity)
        let count = operation.memory.put(available.prefix(operation.fate.share(of: available.count)))
        return operation.fate.status.completion(count: count)
    }

    private func write(_ operation: SimulatedOperation, _ segments: [Range<Int>], _ place: Int) -> Completion {
        var bytes: [UInt8] = []
        for segment in segments { bytes += operation.memory.bytes(segment) }
        bytes = [UInt8](bytes.prefix(operation.fate == .failing ? bytes.count / 2 : bytes.count))
        if contents.count < place { contents += [UInt8](repeating: 0, count: place - contents.count) }
        let overwritten = place..<min(contents.count, place + bytes.count)
        contents.replaceSubrange(overwritten, with: bytes)
        return operation.fate.status.completion(count: bytes.count)
    }

    override var readiness: Readiness { [.readable, .writable] }
}
