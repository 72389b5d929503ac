import CBench
import Glibc
import Portloop

/// The TCP echo server with a fiber for each connection: one `perform` per read and one per write.
func runEchoTasks(takingOver: Bool) {
    bench_die_with_parent()
    let loop = makeLoop()
    let listening = makeListener()
    if takingOver { return TakeOver.run(loop) { await serve(loop, listening) } }
    loop.run { loop async in await serve(loop, listening) }
}

private func serve(_ loop: isolated EventLoop, _ listening: Int32) async {
    let ops = loop.operations
    do {
        let listener = try ops.associate(NativeHandle(rawValue: Int(listening)))
        while true {
            let descriptor = try await ops.perform(on: listener) { op in op.accept() }.completion.acquired
            setNoDelay(Int32(descriptor.rawValue))
            let connection = FiberConnection(descriptor, on: loop)
            loop.spawn { _ async in await connection.serve() }
        }
    } catch { trap("the listener was refused: \(error)") }
}

private actor FiberConnection: OnLoop {
    nonisolated let loop: EventLoop
    private let native: NativeHandle
    private lazy var operations = loop.operations(for: self)

    init(_ native: NativeHandle, on loop: EventLoop) {
        self.native = native
        self.loop = loop
    }

    /// Until the other end is done, or gone.
    func serve() async {
        let operations = operations
        guard let handle = try? operations.associate(native) else {
            close(Int32(native.rawValue))
            return
        }
        do throws(OperationError) {
            while true {
                let request = try await operations.perform(on: handle, capacity: 4096) { op in op.read() }
                guard request.count > 0, request.end == .finished else { break }
                let answer = try await operations.perform(on: handle, capacity: request.count) { op in
                    op.withBuffer { buffer in request.withBytes { bytes in copy(bytes, to: &buffer) } }
                    return op.write(count: request.count)
                }
                guard answer.error == .none, answer.end == .finished else { break }
            }
        } catch {}  // Cancelled, or shut down: the connection ends all the same.
        _ = try? await operations.awaitRetire(handle)
        close(Int32(native.rawValue))
    }
}

// SAFETY: both are as long as the count of bytes, and are not the same memory.
private func copy(_ bytes: RawSpan, to buffer: inout MutableRawSpan) {
    unsafe bytes.withUnsafeBytes { source in
        unsafe buffer.withUnsafeMutableBytes { target in unsafe target.copyMemory(from: source) }
    }
}
