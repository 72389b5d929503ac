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
        do { try EchoConnection(ops, handle).read() } catch { trap("a new handle took no kinds: \(error)") }
    }
}

/// One connection: reads, writes what it read, reads again, all in one record of one kind, which keeps it alive until the handle is
/// retired.
private final class EchoConnection {
    private let ops: Operations
    private let handle: AssociatedHandle
    private var transfers: OperationKind?
    private var isAnswering = false

    init(_ ops: Operations, _ handle: AssociatedHandle) throws(OperationError) {
        self.ops = ops
        self.handle = handle
        transfers = try ops.kind(on: handle) { [self] id, _ in next(id) }
    }

    // SAFETY: the memory of a prepared operation is only named, not used.
    func read() {
        guard let transfers else { return }
        do { try ops.read(unsafe ops.prepare(transfers, capacity: 4096).id) } catch { end() }
    }

    /// A read is answered, and behind the answer comes the next read.
    private func next(_ id: OperationID) {
        guard transfers != nil else { return }
        do {
            var renewed = try ops.renew(id)
            if !isAnswering {
                guard renewed.facts.error == .none, renewed.facts.count > 0 else { return try end(instead: renewed.id) }
                isAnswering = true
                guard try ops.write(renewed.id, count: renewed.facts.count, inline: .allowed) == .done else { return }
                renewed = try ops.renew(renewed.id)
            }
            isAnswering = false
            guard renewed.facts.error == .none else { return try end(instead: renewed.id) }
            try ops.read(renewed.id)
        } catch { end() }
    }

    // SAFETY: no native call is made.
    private func end(instead id: OperationID) throws(OperationError) {
        unsafe try ops.abandon(id)
        end()
    }

    private func end() {
        transfers = nil
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
    announce(UInt16(bigEndian: address.sin_port))
    return descriptor
}

/// Tells who started this program where it listens.
func announce(_ port: UInt16) {
    print("port \(port)")
    fflush(nil)
}
