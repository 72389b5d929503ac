internal import LoopCore

/// The numbers of a trace's operations, and the wording of its questions: the same for who records and for who replays.
struct TraceBook {
    private var numbers: [UInt: Int] = [:]
    private var operations: [TracedOperation] = []

    /// An operation of a trace: its memory, and whether its packet brings bytes.
    struct TracedOperation {
        let memory: LentMemory
        let isInput: Bool
    }

    /// The operation with a number; nil where the trace makes one up.
    subscript(number: Int) -> TracedOperation? { operations.indices.contains(number - 1) ? operations[number - 1] : nil }

    /// The number of what runs on a block; nil where the port was never shown it, as with an adapter's own native call.
    func number(_ block: UInt) -> Int? { numbers[block] }

    // MARK: questions

    mutating func start(_ verb: String, _ request: PortRequest, isInput: Bool, _ detail: String) -> String {
        let memory = LentMemory(request)
        let number = enter(memory, isInput: isInput)
        return "\(verb) #\(number) \(name(request.handle, request.key)) \(memory.capacity) \(detail)"
    }

    mutating func enter(_ memory: LentMemory, isInput: Bool) -> Int {
        operations.append(TracedOperation(memory: memory, isInput: isInput))
        numbers[memory.blockAddress] = operations.count
        return operations.count
    }

    func cancel(_ request: PortRequest) -> String { "cancel \(numbers[LentMemory(request).blockAddress].map { "#\($0)" } ?? "?")" }

    func name(_ handle: NativeHandle, _ key: HandleKey) -> String { "\(handle.rawValue) \(key.slot).\(key.generation)" }

    func wait(_ bound: WaitBound, _ capacity: Int) -> String {
        switch bound {
        case .poll: "wait poll \(capacity)"
        case .forever: "wait forever \(capacity)"
        case .until(let instant): "wait \(instant.nanoseconds) \(capacity)"
        }
    }

    func offset(_ offset: FileOffset?) -> String { offset.map { "\($0.rawValue)" } ?? "-" }

    static func direction(_ direction: Direction?) -> String {
        switch direction {
        case .read: "read"
        case .write: "write"
        case nil: "-"
        }
    }

    /// Bytes that go out are named by a sum: enough to see that a repetition sends others.
    func sum(_ request: PortRequest, _ ranges: [Range<Int>]) -> String {
        var sum: UInt64 = 0
        for range in ranges {
            for byte in LentMemory(request).bytes(range) { sum = (sum &* 31) &+ UInt64(byte) }
        }
        return "\(ranges.map { "\($0.lowerBound)+\($0.count)" }.joined(separator: ",")) \(sum)"
    }
}
