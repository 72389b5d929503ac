import LoopCore

/// What may happen to one of two operations on one handle, or to the handle.
enum RaceEvent: CaseIterable {
    case complete
    case cancelFirst
    case cancelSecond
    case timeOutFirst
    case timeOutSecond
    case freeFirst
    case freeSecond
    case close
    case turn
}

// Every order of complete, cancel, time out, close and free for two operations.
extension ContractSuite {
    static let races: [ContractCase] = RaceEvent.allCases.map { first in
        ContractCase("C3", "every race of two operations that begins with \(first.name) ends each once and loses no byte") {
            run throws(CaseFailure) in
            var events = [first]
            try RaceEvent.forEachOrder(&events, length: 5) { order throws(CaseFailure) in try run.race(order) }
        }
    }
}

extension RaceEvent {
    var name: String {
        switch self {
        case .complete: "complete"
        case .cancelFirst: "cancel of the first"
        case .cancelSecond: "cancel of the second"
        case .timeOutFirst: "time-out of the first"
        case .timeOutSecond: "time-out of the second"
        case .freeFirst: "free of the first"
        case .freeSecond: "free of the second"
        case .close: "close"
        case .turn: "turn"
        }
    }

    /// Every order of `length` events that begins with the given ones and has none twice.
    static func forEachOrder(
        _ events: inout [RaceEvent], length: Int, _ body: ([RaceEvent]) throws(CaseFailure) -> Void
    ) throws(CaseFailure) {
        guard events.count < length else { return try body(events) }
        for next in allCases where !events.contains(next) {
            events.append(next)
            try forEachOrder(&events, length: length, body)
            events.removeLast()
        }
    }
}

/// One of the two operations.
private struct Racer {
    let id: OperationID
    let end = Found<WaitEnd>()
    var isWaitedFor = false
    var isTaken = false

    init(_ id: OperationID) { self.id = id }
}

extension ContractRun {
    /// Plays one order on a fresh stream, then lets everything end, and looks at what each operation got.
    func race(_ order: [RaceEvent]) throws(CaseFailure) {
        let (handle, ends) = try stream()
        var racers = [Racer(try read(handle, capacity: 1)), Racer(try read(handle, capacity: 1))]
        var (fed, taken) = (0, 0)
        var isRetired = false
        let retired = Found<RetireReport>()
        for event in order {
            switch event {
            case .complete:
                fixture.feed(ends.far, [1])
                fed += 1
            case .cancelFirst: cancelIfAlive(racers[0].id)
            case .cancelSecond: cancelIfAlive(racers[1].id)
            case .timeOutFirst: timeOut(&racers[0])
            case .timeOutSecond: timeOut(&racers[1])
            case .freeFirst: taken += takeIfDone(&racers[0])
            case .freeSecond: taken += takeIfDone(&racers[1])
            case .close:
                try must("retire") { () throws(OperationError) in try ops.retire(handle) { retired.set($0) } }
                isRetired = true
            case .turn: loop.turn(.poll)
            }
        }
        for place in racers.indices { cancelIfAlive(racers[place].id) }
        for place in racers.indices {
            try turn(until: "both to end") { phase(racers[place].id) != .submitted }
            if racers[place].isWaitedFor { try turn(until: "the waiter") { racers[place].end.value != nil } }
            taken += takeIfDone(&racers[place])
            expect(racers[place].isTaken, "each operation ends with a result")
            expect(racers[place].end.count == (racers[place].isWaitedFor ? 1 : 0), "each waiter is told once")
        }
        if !isRetired { try must("retire") { () throws(OperationError) in try ops.retire(handle) { retired.set($0) } } }
        try turn(until: "the handle to be retired") { retired.count == 1 }
        do throws(InvariantFailure) { try ops.checkInvariants() } catch { throw .failed("invariant \(error.number) after a race") }
        // What no read took is still in the stream: read at the near end by the fixture, which may now.
        let left = fixture.drain(ends.near, max: 8).count
        if taken + left != fed {
            throw .failed(
                "\(fed) bytes went in, \(taken) were read and \(left) are left after \(order.map { $0.name }.joined(separator: ", "))")
        }
        close(ends.near)
        close(ends.far)
    }

    private func cancelIfAlive(_ id: OperationID) {
        guard phase(id) == .submitted else { return }
        do throws(OperationError) { _ = try ops.cancel(id) } catch { expect(false, "a submitted operation can be cancelled") }
    }

    /// A deadline that has passed: looked at in the next turn.
    private func timeOut(_ racer: inout Racer) {
        let found = phase(racer.id)
        guard !racer.isWaitedFor, found == .submitted || found == .completed else { return }
        racer.isWaitedFor = true
        let end = racer.end
        do throws(OperationError) {
            try ops.onCompletion(racer.id, timeout: .zero) { _, ended in end.set(ended) }
        } catch { expect(false, "an operation without a waiter can be waited for") }
    }

    /// Takes the result if there is one and nobody else waits for it. Returns how many bytes it brought.
    private func takeIfDone(_ racer: inout Racer) -> Int {
        guard !racer.isTaken, phase(racer.id) == .completed else { return 0 }
        guard !racer.isWaitedFor || racer.end.value != nil else { return 0 }
        racer.isTaken = true
        do throws(OperationError) {
            return try ops.withResult(racer.id) { _, bytes in bytes.byteCount }
        } catch {
            expect(false, "a completed operation has a result")
            return 0
        }
    }
}
