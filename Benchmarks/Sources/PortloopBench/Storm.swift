import Glibc
import Portloop

/// A storm of jobs that queue themselves again, and a socket pair in its midst: how long a byte waits to be read at the worst.
// SAFETY: the socket pair's descriptors are two integers, as the call wants them.
func runStorm(milliseconds: Int) {
    let loop = makeLoop()
    let ops = loop.operationsOnThisThread()
    var ends: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else { trap("no socket pair") }
    let probe = Probe(ops, near: ends[0], far: ends[1])
    for _ in 0..<64 { requeue(loop) }
    let end = loop.now.advanced(by: UInt64(milliseconds) * 1_000_000)
    probe.ask()
    while loop.now < end { loop.turn() }
    print("probes=\(probe.count) worst_ns=\(probe.worst) jobs=\(ops.metrics.jobs)")
}

private func requeue(_ loop: EventLoop) {
    loop.post { loop in requeue(loop) }
}

/// Writes a byte with its time and reads it back through the loop, again and again.
private final class Probe {
    private let ops: Operations
    private let near: AssociatedHandle
    private let far: Int32
    private(set) var count = 0
    private(set) var worst: UInt64 = 0

    init(_ ops: Operations, near: Int32, far: Int32) {
        self.ops = ops
        self.far = far
        do { self.near = try ops.associate(NativeHandle(rawValue: Int(near))) } catch { trap("the socket was refused: \(error)") }
    }

    // SAFETY: one byte is written from a variable of one byte.
    func ask() {
        do {
            try ops.perform(on: near, capacity: 1) { op in
                op.read()
            } completed: { [self] id, _ in
                let took = ops.loop.now.nanoseconds(since: asked)
                try? ops.free(id)
                worst = max(worst, took)
                count += 1
                ask()
            }
        } catch { trap("the read was refused: \(error)") }
        asked = ops.loop.now
        var byte: UInt8 = 1
        unsafe write(far, &byte, 1)
    }

    private var asked = MonotonicInstant(nanoseconds: 0)
}
