import CBench
import Glibc
import Portloop

/// The TCP echo server on the raw seam, with callbacks: what the floors in C do, through the production ledger with its checks on.
func runEcho() {
    bench_die_with_parent()
    let loop = makeLoop()
    let server = EchoServer(loop.operationsOnThisThread(), listening: makeListener())
    server.accept()
    while true { loop.turn() }
}

/// Accepts connections for ever.
private final class EchoServer {
    private let ops: Operations
    private let listener: AssociatedHandle

    init(_ ops: Operations, listening descriptor: Int32) {
        self.ops = ops
        do { listener = try ops.associate(NativeHandle(rawValue: Int(descriptor))) } catch { trap("the listener was refused: \(error)") }
    }

    func accept() {
        do {
            try ops.perform(on: listener) { op in
                op.accept()
            } completed: { [self] id, _ in
                accepted(id)
                accept()
            }
        } catch { trap("accept was refused: \(error)") }
    }

    private func accepted(_ id: OperationID) {
        guard let descriptor = try? ops.withResult(id, { completion, _ in completion.acquired }), descriptor != .invalid else { return }
        setNoDelay(Int32(descriptor.rawValue))
        guard let handle = try? ops.associate(descriptor) else {
            close(Int32(descriptor.rawValue))
            return
        }
        EchoConnection(ops, handle).read()
    }
}

/// One connection: reads, writes what it read, reads again. The read in flight keeps it alive.
private final class EchoConnection {
    private let ops: Operations
    private let handle: AssociatedHandle
    private var whenRead: ((OperationID, WaitEnd) -> Void)?
    private var whenWritten: ((OperationID, WaitEnd) -> Void)?

    init(_ ops: Operations, _ handle: AssociatedHandle) {
        self.ops = ops
        self.handle = handle
        // Made once: a function made anew for each operation would be an allocation for each operation.
        whenRead = { [self] id, _ in didRead(id) }
        whenWritten = { [self] id, _ in didWrite(id) }
    }

    // SAFETY: the memory of a prepared operation is only named, not used.
    func read() {
        guard let whenRead else { return }
        do {
            let id = unsafe try ops.prepare(handle, capacity: 4096).id
            try ops.read(id)
            try ops.onCompletion(id, whenRead)
        } catch { end() }
    }

    // SAFETY: the write's buffer is the operation's while it is prepared, and as large as what is copied into it.
    private func didRead(_ id: OperationID) {
        do {
            let copied = try ops.withResult(id) { _, bytes -> (OperationID, Int)? in
                guard bytes.byteCount > 0, let memory = unsafe try? ops.prepare(handle, capacity: bytes.byteCount) else { return nil }
                unsafe bytes.withUnsafeBytes { source in unsafe memory.buffer.copyMemory(from: source) }
                return unsafe (memory.id, bytes.byteCount)
            }
            guard let (write, count) = copied, let whenWritten else { return end() }
            switch try ops.write(write, count: count, inline: .allowed) {
            case .done: didWrite(write)
            case .waiting: try ops.onCompletion(write, whenWritten)
            }
        } catch { end() }
    }

    private func didWrite(_ id: OperationID) {
        guard let error = try? ops.withResult(id, { completion, _ in completion.error }), error == .none else { return end() }
        read()
    }

    private func end() {
        whenRead = nil
        whenWritten = nil
        let descriptor = Int32(handle.native.rawValue)
        do { try ops.retire(handle) { _ in close(descriptor) } } catch { trap("a connection was retired twice: \(error)") }
    }
}

// SAFETY: the kernel reads as many bytes as it is told there are.
func setNoDelay(_ descriptor: Int32) {
    var on: Int32 = 1
    unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
}

/// A listener on a free port of 127.0.0.1, announced as the floors announce theirs.
// SAFETY: sockaddr_in is what the calls are told it is, with its size.
func makeListener() -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            guard unsafe bind(descriptor, generic, length) == 0, listen(descriptor, 1024) == 0 else { trap("cannot listen") }
            unsafe getsockname(descriptor, generic, &length)
        }
    }
    print("port \(UInt16(bigEndian: address.sin_port))")
    fflush(nil)
    return descriptor
}
