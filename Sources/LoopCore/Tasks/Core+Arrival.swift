internal import _Concurrency

/// Why a task that waited goes on.
@usableFromInline enum Wakeup: UInt8, Sendable {
    /// It was its turn; an operation has been settled.
    case signalled
    case timedOut
    case cancelled
    /// The loop, or what was waited on, has ended; an operation was given up on.
    case closed
}

extension Wakeup {
    /// Throws unless it was the task's turn.
    func get() throws(WaitError) {
        switch self {
        case .signalled: break
        case .timedOut: throw .timedOut
        case .cancelled: throw .cancelled
        case .closed: throw .closed
        }
    }
}

/// Whether a wait ends when its task is cancelled.
@usableFromInline
enum Shield {
    /// The loop hears it, if the task is a fiber of its own.
    case cancellable
    /// The wait has a handler, which hears it.
    case listening
    case shielded
}

/// Where the task that is about to come to the waiting room has begun to wait.
enum Arrival {
    case none
    case operation(Cell, Shield)
    case place(ParkID)
}

/// What a task that is about to wait does next.
@usableFromInline
enum NextStep {
    /// It goes to the waiting room, at once.
    case wait
    /// Nobody would hear that it is cancelled, because it is no fiber of the loop's: it listens for itself.
    case listen
    /// It goes on: there is nothing to wait for.
    case goOn(Wakeup)
}

extension Core {
    /// Notes what the current task is about to wait for, where the loop is to hear that it is cancelled. False where the loop would not.
    @inline(__always)
    func isHeard(_ shield: Shield, _ wait: FiberWait) -> Bool {
        guard shield == .cancellable else { return true }
        guard let task = TaskIdentity.current else { return false }
        return withFibers { $0.note(task, wait) }
    }

    /// Says that the current task is about to wait in a place in which nobody has woken it.
    @inline(__always)
    func expect(_ place: ParkID, _ shield: Shield) -> NextStep {
        guard isHeard(shield, .parked(place)) else { return .listen }
        if shield == .cancellable, TaskIdentity.isCurrentCancelled { return .goOn(leave(place)) }
        arrival = .place(place)
        return .wait
    }

    /// Takes a task that has been cancelled out of its place.
    @inline(never)
    func leave(_ place: ParkID) -> Wakeup {
        wake(place, .cancelled)
        guard let wakeup = parked.takeWakeup(place) else { trap("A place was woken and does not know it. This is a bug of Portloop.") }
        return wakeup
    }

    /// A task has come to the waiting room: what it has begun to wait for is given its next step.
    // SAFETY: a task that is suspended is alive.
    @inline(__always)
    func arrive(_ task: SuspendedTask) {
        switch arrival {
        case .none: Core.trapUnexpected()
        case .operation(let cell, let shield):
            cell.record.setWaiter(.task(task))
            // The function that submitted it may have cancelled the task, when it did not wait yet.
            if shield != .shielded, unsafe task.identity.isCancelled { postedCancels.append(ledger.id(of: cell)) }
        case .place(let id): parked.suspend(id, task)
        }
        arrival = .none
    }

    @inline(never)
    private static func trapUnexpected() -> Never { trap("A task waits, and has not said for what. This is a bug of Portloop.") }

    /// Has a task go on whose wait for an operation is over.
    @inline(__always)
    func resume(_ task: SuspendedTask, _ id: OperationID, _ end: WaitEnd) {
        switch end {
        case .finished: task.resume(.signalled, self)
        case .timedOut: task.resume(.timedOut, self)
        case .cancelled: task.resume(.cancelled, self)
        case .stuck(let operation):
            stuck[id] = operation
            task.resume(.closed, self)
        }
    }

    /// How a wait for an operation ended, by what its task was woken by.
    func end(of id: OperationID, _ wakeup: Wakeup) -> WaitEnd {
        switch wakeup {
        case .signalled: return .finished
        case .timedOut: return .timedOut
        case .cancelled: return .cancelled
        case .closed:
            guard let operation = stuck.removeValue(forKey: id) else {
                trap("A wait for an operation ended, and nothing is known of it. This is a bug of Portloop.")
            }
            return .stuck(operation)
        }
    }
}
