import Glibc
import LoopEpoll
import Portloop

// Tasks on the loop beside tasks on the default executor, and on one that does nothing but run them, in one process and one run, unpinned.
// Every round measures all, one after the other, in an order that changes. What has no counterpart there is given in nanoseconds alone.

/// One figure: what a step costs on the loop, and elsewhere where it exists there.
private struct TaskShape {
    let name: String
    var steps: Int
    let onLoop: @Sendable (isolated EventLoop, Int) async -> Void
    var onDispatch: (@Sendable (Int) async -> Void)?
    var onBareExecutor: (@Sendable (isolated BareExecutor, Int) async -> Void)?
}

/// Who takes the steps in a process of its own.
enum TaskRunner: String {
    case loop
    case takeOver = "take-over"
    case dispatch = "default"
    case bare
}

func runTasks(rounds: Int, only: String?) {
    let (loop, shapes) = loopAndShapes()
    for shape in shapes where only == nil || shape.name.hasPrefix(only ?? "") {
        var (ours, theirs, floor): ([Double], [Double], [Double]) = ([], [], [])
        _ = measureOnLoop(loop, shape)
        for round in 0..<rounds {
            if round.isMultiple(of: 2) { ours.append(measureOnLoop(loop, shape)) }
            if let body = shape.onDispatch { theirs.append(measureOnDispatch(shape, body)) }
            if let body = shape.onBareExecutor { floor.append(measureOnBareExecutor(shape, body)) }
            if !round.isMultiple(of: 2) { ours.append(measureOnLoop(loop, shape)) }
        }
        report(shape.name, ours, theirs, floor)
    }
    loop.shutdown()
}

/// One shape by one runner, the middle of a few rounds: as in a program that has no other executor, and for counting its instructions, for
/// which few steps are enough.
func runTask(_ name: String, on runner: TaskRunner, steps: Int?) {
    let (loop, shapes) = loopAndShapes()
    guard var shape = shapes.first(where: { $0.name == name }) else { trap("there is no step of that name") }
    shape.steps = steps ?? shape.steps
    let figures = (0..<7).map { _ in
        switch runner {
        case .loop: measureOnLoop(loop, shape)
        case .takeOver: TakeOver.run(loop) { [shape] in await measure(shape, on: loop) }
        case .dispatch: measureOnDispatch(shape, shape.onDispatch ?? { _ in trap("nothing to compare with") })
        case .bare: measureOnBareExecutor(shape, shape.onBareExecutor ?? { _, _ in trap("nothing to compare with") })
        }
    }
    print("ns_per_step=\(rounded(middle(figures), 2))")
    loop.shutdown()
}

private func loopAndShapes() -> (EventLoop, [TaskShape]) {
    let port: EpollPort
    do { port = try EpollPort() } catch { trap("no completion port: \(error)") }
    // The port is the loop's from here on; its address is the kernel's part in the play.
    // SAFETY: the loop keeps the port for as long as the program runs.
    let address = UInt(bitPattern: unsafe Unmanaged.passRetained(port).toOpaque())
    let loop = EventLoop(port: port)
    return (loop, taskShapes(loop, address))
}

private func measureOnLoop(_ loop: EventLoop, _ shape: TaskShape) -> Double {
    loop.run { loop async in await measure(shape, on: loop) }
}

private func measure(_ shape: TaskShape, on loop: isolated EventLoop) async -> Double {
    let began = loop.now
    await shape.onLoop(loop, shape.steps)
    return Double(loop.now.nanoseconds(since: began)) / Double(shape.steps)
}

// SAFETY: the semaphore lives until it has been waited for, which is after it was signalled.
private func measureOnDispatch(_ shape: TaskShape, _ body: @escaping @Sendable (Int) async -> Void) -> Double {
    let done = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    unsafe sem_init(done, 0, 0)
    let address = UInt(bitPattern: done)
    let took = UnsafeMutablePointer<Double>.allocate(capacity: 1)
    let figure = UInt(bitPattern: took)
    Task.detached {
        let began = ContinuousClock.now
        await body(shape.steps)
        let nanoseconds = (ContinuousClock.now - began) / .nanoseconds(1)
        unsafe UnsafeMutablePointer<Double>(bitPattern: figure)?.initialize(to: nanoseconds / Double(shape.steps))
        unsafe UnsafeMutablePointer<sem_t>(bitPattern: address).map { unsafe _ = sem_post($0) }
    }
    while unsafe sem_wait(done) != 0 {}
    defer {
        unsafe took.deallocate()
        unsafe done.deallocate()
    }
    return unsafe took.pointee
}

private func measureOnBareExecutor(_ shape: TaskShape, _ body: @escaping @Sendable (isolated BareExecutor, Int) async -> Void) -> Double {
    let began = ContinuousClock.now
    BareExecutor().run { executor async in await body(executor, shape.steps) }
    return (ContinuousClock.now - began) / .nanoseconds(1) / Double(shape.steps)
}

private func report(_ name: String, _ ours: [Double], _ theirs: [Double], _ floor: [Double]) {
    let padded = name + String(repeating: " ", count: max(1, 44 - name.count))
    let beside = [("default", theirs), ("bare", floor)].filter { !$0.1.isEmpty }.map { name, figures in
        let ratios = zip(ours, figures).map { $0 / $1 }
        return "; \(name) \(rounded(middle(figures), 0)) ns, × \(rounded(middle(ratios), 2)) [\(bounds(ratios, 2))]"
    }
    print("\(padded)\(rounded(middle(ours), 0)) ns [\(bounds(ours, 0))]\(beside.joined())")
}

private func middle(_ figures: [Double]) -> Double {
    let sorted = figures.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// The 95 % bounds of the median, by the order of the figures.
private func bounds(_ figures: [Double], _ digits: Int) -> String {
    let sorted = figures.sorted()
    let reach = Int((0.98 * Double(sorted.count).squareRoot()).rounded(.up))
    let low = max(0, sorted.count / 2 - reach)
    let high = min(sorted.count - 1, sorted.count / 2 + reach)
    return "\(rounded(sorted[low], digits)), \(rounded(sorted[high], digits))"
}

private func rounded(_ figure: Double, _ digits: Int) -> String {
    let scale = digits == 0 ? 1.0 : 100.0
    let value = (figure * scale).rounded() / scale
    return digits == 0 ? "\(Int(value))" : "\(value)"
}

private func taskShapes(_ loop: EventLoop, _ port: UInt) -> [TaskShape] {
    let bench = loop.isOnLoopThread ? SeamUser(loop, port) : nil
    guard let bench else { trap("off the loop's thread") }
    return [
        TaskShape(name: "spawn and await", steps: 100_000) { loop, steps in
            for _ in 0..<steps { await loop.spawn { _ async in }.value }
        } onDispatch: { steps in
            for _ in 0..<steps { await Task {}.value }
        } onBareExecutor: { executor, steps in
            for _ in 0..<steps { await Task(executorPreference: executor) {}.value }
        },
        TaskShape(name: "call from actor to actor", steps: 500_000) { loop, steps in
            await Caller(loop).call(Callee(loop), steps)
        } onDispatch: { steps in
            await FreeCaller().call(FreeCallee(), steps)
        } onBareExecutor: { executor, steps in
            await BareCaller(executor).call(BareCallee(executor), steps)
        },
        TaskShape(name: "Task.yield", steps: 200_000) { _, steps in
            for _ in 0..<steps { await Task.yield() }
        } onDispatch: { steps in
            for _ in 0..<steps { await Task.yield() }
        } onBareExecutor: { _, steps in
            for _ in 0..<steps { await Task.yield() }
        },
        TaskShape(name: "continuation suspended, resumed by the loop", steps: 200_000) { _, steps in
            await bench.suspend(steps)
        } onBareExecutor: { executor, steps in
            await BareCaller(executor).suspend(steps)
        },
        TaskShape(name: "perform, done inline", steps: 500_000) { _, steps in await bench.inline(steps) },
        TaskShape(name: "perform, waiting in place", steps: 200_000) { _, steps in await bench.perform(steps) },
        TaskShape(name: "perform, in place, with a timeout", steps: 200_000) { _, steps in await bench.performWithTimeout(steps) },
        TaskShape(name: "performShielded, in place", steps: 200_000) { _, steps in await bench.shielded(steps) },
        TaskShape(name: "perform, suspending", steps: 204_800) { loop, steps in
            await takeTurns(loop, steps) { await bench.perform($0) }
        },
        TaskShape(name: "perform, suspending, with a timeout", steps: 204_800) { loop, steps in
            await takeTurns(loop, steps) { await bench.performWithTimeout($0) }
        },
        TaskShape(name: "performShielded, suspending", steps: 204_800) { loop, steps in
            await takeTurns(loop, steps) { await bench.shielded($0) }
        },
        TaskShape(name: "sleep of no time", steps: 200_000) { loop, steps in
            for _ in 0..<steps { try? await loop.sleep(for: .zero) }
        },
    ]
}

/// Divides the steps among fibers, so that there is somebody else to run whenever one of them waits: one wait in 64 is made in place.
private func takeTurns(_ loop: isolated EventLoop, _ steps: Int, _ body: @escaping @Sendable (Int) async -> Void) async {
    let fibers = (0..<64).map { _ in loop.spawn { _ async in await body(steps / 64) } }
    for fiber in fibers { await fiber.value }
}

private actor Callee: OnLoop {
    nonisolated let loop: EventLoop
    private var calls = 0
    init(_ loop: EventLoop) { self.loop = loop }
    func add() { calls += 1 }
}

private actor Caller: OnLoop {
    nonisolated let loop: EventLoop
    init(_ loop: EventLoop) { self.loop = loop }
    func call(_ callee: Callee, _ steps: Int) async { for _ in 0..<steps { await callee.add() } }
}

private actor FreeCallee {
    private var calls = 0
    func add() { calls += 1 }
}

private actor FreeCaller {
    func call(_ callee: FreeCallee, _ steps: Int) async { for _ in 0..<steps { await callee.add() } }
}

private actor BareCallee: OnBareExecutor {
    nonisolated let executor: BareExecutor
    private var calls = 0
    init(_ executor: BareExecutor) { self.executor = executor }
    func add() { calls += 1 }
}

private actor BareCaller: OnBareExecutor {
    nonisolated let executor: BareExecutor
    init(_ executor: BareExecutor) { self.executor = executor }
    func call(_ callee: BareCallee, _ steps: Int) async { for _ in 0..<steps { await callee.add() } }

    // SAFETY: resumed once, by the executor that it is left with.
    func suspend(_ steps: Int) async {
        for _ in 0..<steps {
            unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                unsafe executor.resumeLater(continuation)
            }
        }
    }
}

/// An adapter whose kernel is the loop's own port: what it submits has its packet at once.
private actor SeamUser: OnLoop {
    nonisolated let loop: EventLoop
    private let port: UInt
    private lazy var operations = loop.operations(for: self)
    private lazy var handle = associate()

    init(_ loop: EventLoop, _ port: UInt) {
        self.loop = loop
        self.port = port
    }

    // SAFETY: the pair's descriptors are two integers, as the call wants them.
    private func associate() -> AssociatedHandle {
        var ends: [Int32] = [0, 0]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else { trap("no pair") }
        do { return try operations.associate(NativeHandle(rawValue: Int(ends[0]))) } catch { trap("the socket was refused: \(error)") }
    }

    // SAFETY: resumed once, by the call that is posted.
    func suspend(_ steps: Int) async {
        for _ in 0..<steps {
            unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                loop.post { _ in unsafe continuation.resume() }
            }
        }
    }

    // As an adapter has them, which keeps both in constants.
    private var seam: (Operations, AssociatedHandle) { (operations, handle) }

    func inline(_ steps: Int) async {
        let (operations, handle) = seam
        for _ in 0..<steps { _ = try? await operations.perform(on: handle) { op in op.completedInline(count: 0) } }
    }

    func perform(_ steps: Int) async {
        let (operations, handle) = seam
        for _ in 0..<steps { _ = try? await operations.perform(on: handle) { op in post(op) } }
    }

    func performWithTimeout(_ steps: Int) async {
        let (operations, handle) = seam
        for _ in 0..<steps { _ = try? await operations.perform(on: handle, timeout: .seconds(5)) { op in post(op) } }
    }

    func shielded(_ steps: Int) async {
        let (operations, handle) = seam
        for _ in 0..<steps { _ = try? await operations.performShielded(on: handle) { op in post(op) } }
    }

    /// The native call: its packet is queued in the port, so that no system call is in the figure but the turn's look at the kernel.
    // SAFETY: the port outlives this actor, and the block is the operation's own.
    private func post(_ op: consuming PreparedOp) -> Decision {
        unsafe op.submit { block, _ in
            guard let pointer = unsafe UnsafeRawPointer(bitPattern: port) else { return 5 }
            unsafe Unmanaged<EpollPort>.fromOpaque(pointer)._withUnsafeGuaranteedRef { unsafe $0.post(block, Completion(count: 1)) }
            return 0
        }
    }
}
