import Glibc
import LoopEpoll
import Portloop

/// What the seam itself costs: prepare, submitted, a packet posted by the port, settle, callback, result; begun as an adapter
/// begins the operations it repeats. No system call but the look at
/// the kernel that the port makes once in a batch.
// SAFETY: no native call is made; each operation that is called submitted gets its packet from the port below.
func runSeam(operations: Int, depth: Int) {
    let address: UInt
    let loop: EventLoop
    do {
        let port = try EpollPort()
        address = UInt(bitPattern: unsafe Unmanaged.passRetained(port).toOpaque())
        loop = EventLoop(port: port)
    } catch { trap("no completion port: \(error)") }
    // The port is the loop's from here on; this is the kernel's part in the play.
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: address) else { trap("the port has no address") }
    let posting = unsafe Unmanaged<EpollPort>.fromOpaque(pointer).takeUnretainedValue()
    let ops = loop.operationsOnThisThread()
    // Any handle will do: nothing is read from it.
    var pipe: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pipe) == 0 else { trap("no socket pair") }
    let handle: AssociatedHandle
    do { handle = try ops.associate(NativeHandle(rawValue: Int(pipe[0]))) } catch { trap("the socket was refused: \(error)") }
    let sum = Sum()
    let kind: OperationKind
    do {
        kind = try ops.kind(on: handle) { _, facts in
            sum.add(facts.count)
        } stuck: { _ in
            trap("a packet did not come")
        }
    } catch { trap("the kind was refused: \(error)") }
    /// Operations are begun where a program begins them: in a call of the loop's.
    func round() {
        for _ in 0..<depth {
            do {
                let memory = unsafe try ops.prepare(kind, tag: 1)
                try unsafe ops.submitted(memory)
                unsafe posting.post(memory.controlBlock, Completion(count: 1))
            } catch { trap("the seam refused: \(error)") }
        }
    }
    func run(_ rounds: Int) {
        for _ in 0..<rounds {
            let expected = sum.value + depth
            ops.call(at: MonotonicInstant(nanoseconds: 0), round)
            while sum.value < expected { loop.turn(.poll) }
        }
    }
    let rounds = max(1, operations / depth)
    run(max(1, rounds / 10))
    let began = loop.now
    run(rounds)
    let took = loop.now.nanoseconds(since: began)
    print("operations=\(rounds * depth) ns_per_operation=\(Double(took) / Double(rounds * depth)) sum=\(sum.value)")
}

private final class Sum {
    private(set) var value = 0
    func add(_ count: Int) { value += count }
}
