public import LoopCore

/// One case being run on one port: its loop, its seam, and what it has found so far.
public final class ContractRun {
    /// Where its handles come from.
    public let fixture: any ContractFixture
    /// Its loop.
    public let loop: EventLoop
    /// Its view of the seam.
    public let ops: Operations
    var failures: [String] = []
    private var open: [NativeHandle] = []

    init(_ fixture: any ContractFixture, _ limits: Limits) {
        self.fixture = fixture
        loop = fixture.makeLoop(limits)
        ops = loop.operationsOnThisThread()
    }

    /// Limits with graces short enough to be waited for.
    static var limits: Limits {
        var limits = Limits()
        limits.cancelGraceNanoseconds = 20_000_000
        limits.shutdownBoundNanoseconds = 20_000_000
        return limits
    }

    /// Limits with a grace that does not run out by itself on a machine that is slow: who waits for it waits in vain.
    static var limitsWithLongGrace: Limits {
        var limits = limits
        limits.cancelGraceNanoseconds = 3_600_000_000_000
        return limits
    }

    /// Runs one case from a new loop to its shutdown, and looks at what is left.
    public static func run(_ test: ContractCase, on fixture: any ContractFixture) -> ContractResult {
        let before = fixture.openHandles
        let result = runToShutdown(test, fixture)
        guard case .passed = result, let before, let after = fixture.openHandles, after != before else { return result }
        return .failed(["\(before) handles were open before the case and \(after) after it"])
    }

    private static func runToShutdown(_ test: ContractCase, _ fixture: any ContractFixture) -> ContractResult {
        let run = ContractRun(fixture, test.limits)
        do throws(CaseFailure) {
            try test.body(run)
            run.finish()
        } catch {
            run.loop.shutdown()
            run.closeEnds()
            switch error {
            case .notApplicable(let what): return .notApplicable(what)
            case .failed(let sentence): run.failures.append(sentence)
            }
        }
        return run.failures.isEmpty ? .passed : .failed(run.failures)
    }

    // MARK: saying what must hold

    func expect(_ holds: Bool, _ sentence: String) {
        if !holds { failures.append(sentence) }
    }

    func expectEqual<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) {
        if found != expected { failures.append("\(what): not as expected") }
    }

    func expectEqual(_ found: Int, _ expected: Int, _ what: String) {
        if found != expected { failures.append("\(what): expected \(expected), found \(found)") }
    }

    /// The call MUST be refused with exactly this error.
    func expectRefusal<R: ~Copyable>(_ expected: OperationError, _ what: String, _ call: () throws(OperationError) -> R) {
        do throws(OperationError) {
            _ = try call()
            failures.append("\(what): was not refused")
        } catch {
            if error != expected { failures.append("\(what): refused for another reason") }
        }
    }

    /// The call MUST succeed, or the case cannot go on.
    @discardableResult
    func must<R: ~Copyable>(_ what: String, _ call: () throws(OperationError) -> R) throws(CaseFailure) -> R {
        do throws(OperationError) { return try call() } catch { throw .failed("\(what): was refused (\(error.name))") }
    }

    // MARK: handles

    func openStream(for use: Direction = .read) -> StreamEnds {
        let ends = fixture.makeStream(for: use)
        open += [ends.near, ends.far]
        return ends
    }

    /// A stream whose near end is associated.
    func stream(for use: Direction = .read) throws(CaseFailure) -> (AssociatedHandle, StreamEnds) {
        let ends = openStream(for: use)
        return (try associate(ends.near), ends)
    }

    func datagrams() throws(CaseFailure) -> (AssociatedHandle, StreamEnds) {
        guard let ends = fixture.makeDatagrams() else { throw .notApplicable("datagrams") }
        open += [ends.near, ends.far]
        return (try associate(ends.near), ends)
    }

    func associate(_ handle: NativeHandle) throws(CaseFailure) -> AssociatedHandle {
        do throws(AssociationError) { return try ops.associate(handle) } catch { throw .failed("associate was refused") }
    }

    /// Closes a handle now, behind the loop's back unless it was retired.
    func close(_ handle: NativeHandle) {
        if let place = open.firstIndex(of: handle) { open.remove(at: place) }
        fixture.close(handle)
    }

    private func closeEnds() {
        for handle in open { fixture.close(handle) }
        open = []
    }

    // MARK: operations

    /// Prepares and starts a read, and leaves it waiting to be looked at.
    func read(
        _ handle: AssociatedHandle, capacity: Int = 64, tag: UInt64 = 0
    ) throws(CaseFailure) -> OperationID {
        let id = try must("prepare") { () throws(OperationError) in try prepare(handle, capacity: capacity, tag: tag) }
        try must("read") { () throws(OperationError) in try ops.read(id) }
        return id
    }

    /// Prepares and starts a write of the given bytes.
    func write(_ handle: AssociatedHandle, _ bytes: [UInt8]) throws(CaseFailure) -> OperationID {
        let id = try prepareWrite(handle, bytes)
        try must("write") { () throws(OperationError) in try ops.write(id, count: bytes.count) }
        return id
    }

    // SAFETY: the buffer is the operation's while it is prepared.
    func prepareWrite(_ handle: AssociatedHandle, _ bytes: [UInt8]) throws(CaseFailure) -> OperationID {
        try must("prepare") { () throws(OperationError) in
            let memory = unsafe try ops.prepare(handle, capacity: bytes.count)
            unsafe memory.buffer.copyBytes(from: bytes)
            return unsafe memory.id
        }
    }

    /// A prepared operation's id; its memory stays unnamed.
    // SAFETY: the memory is not used.
    func prepare(_ handle: AssociatedHandle, capacity: Int = 0, tag: UInt64 = 0) throws(OperationError) -> OperationID {
        unsafe try ops.prepare(handle, tag: tag, capacity: capacity).id
    }

    /// Turns the loop until the condition holds, for at most two seconds of the loop's own clock.
    func turn(until what: String, _ condition: () -> Bool) throws(CaseFailure) {
        let bound = loop.now.advanced(by: 2_000_000_000)
        while !condition() {
            guard loop.now < bound else { throw .failed("waited two seconds in vain: \(what)") }
            loop.turn(.until(bound))
        }
    }

    /// Turns until the operation has completed, and takes its result.
    func finish(_ id: OperationID) throws(CaseFailure) -> (completion: Completion, bytes: [UInt8]) {
        try turn(until: "a packet") { phase(id) != .submitted }
        return try must("result") { () throws(OperationError) in
            let outcome = try ops.result(id)
            return (outcome.completion, outcome.copyBytes())
        }
    }

    /// The phase of an operation; free where the id is dead.
    func phase(_ id: OperationID) -> OperationPhase {
        do throws(OperationError) { return try ops.state(id) } catch { return .free }
    }

    /// Retires a handle and turns until it is the caller's.
    func retire(_ handle: AssociatedHandle) throws(CaseFailure) {
        let report = Found<RetireReport>()
        try must("retire") { () throws(OperationError) in try ops.retire(handle) { report.value = $0 } }
        try turn(until: "the handle to be retired") { report.value != nil }
    }

    // MARK: the end of a case

    /// Everything a case leaves behind is its failure: operations, associations, broken invariants, open handles.
    private func finish() {
        do throws(InvariantFailure) { try ops.checkInvariants() } catch {
            failures.append("invariant \(error.number) is broken at \(error.place)")
        }
        let report = loop.shutdown()
        let left = ops.metrics
        expect(report.isClean || leavesStuck, "operations were left when the loop ended")
        expectEqual(left.operations.submitted, 0, "submitted operations at the end")
        expectEqual(left.prepared, 0, "prepared operations at the end")
        expectEqual(left.completed, 0, "results nobody took at the end")
        closeEnds()
    }

    /// Set by cases whose point is a driver that never answers.
    var leavesStuck = false
}

/// A place for what a callback brings.
final class Found<Value> {
    var value: Value?
    var count = 0

    init() {}

    func set(_ value: Value) {
        self.value = value
        count += 1
    }
}

extension OperationError {
    /// For sentences.
    var name: String {
        switch self {
        case .notAssociated: "not associated"
        case .capacityExceeded: "capacity exceeded"
        case .backpressure: "backpressure"
        case .wrongState(let expected, let found): "expected \(expected.name), found \(found.name)"
        case .staleID: "stale id"
        case .foreignID: "foreign id"
        case .alreadyAwaited: "already awaited"
        case .refused(let code): "refused with \(code.rawValue)"
        case .cancelled: "cancelled"
        case .stuck: "stuck"
        case .closed: "closed"
        }
    }
}
