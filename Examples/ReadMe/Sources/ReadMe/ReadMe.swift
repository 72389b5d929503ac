// example: ReadMe
import Glibc
import Portloop

/// A handle of yours: an actor that lives on the loop. Its operations go through the seam.
actor Messages: OnLoop {
    nonisolated let loop: EventLoop
    private let descriptor: Int32
    private lazy var operations = loop.operations(for: self)
    private var handle: AssociatedHandle?

    init(_ descriptor: Int32, on loop: EventLoop) {
        self.descriptor = descriptor
        self.loop = loop
    }

    /// What arrives within the timeout; nil if nothing does. Bytes that come later are still there for the next call.
    func next(within timeout: Duration) async throws -> String? {
        let handle = try handle ?? operations.associate(NativeHandle(rawValue: Int(descriptor)), options: .setNonblocking)
        self.handle = handle
        let outcome = try await operations.perform(on: handle, capacity: 256, timeout: timeout) { op in op.read() }
        return outcome.end == .finished ? String(decoding: outcome.copyBytes(), as: UTF8.self) : nil
    }
}

func start() throws {
    var ends: [Int32] = [0, 0]
    pipe(&ends)
    let (reader, writer) = (ends[0], ends[1])

    let loop = try EventLoop.native()
    try loop.run { loop in
        let messages = Messages(reader, on: loop)
        print(try await messages.next(within: .milliseconds(10)) ?? "nothing yet")
        write(writer, "hello", 5)
        print(try await messages.next(within: .milliseconds(10)) ?? "nothing yet")
    }
    print("left in flight: \(loop.shutdown().operations.count)")
}

@main enum Main { static func main() throws { try start() } }
// example end
