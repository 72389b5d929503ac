internal import CLoopEpoll
internal import Glibc
internal import LoopCore
internal import Synchronization

// The life of a call on a file:
//
//   waiting ──► begun ──► finished ──► (packet)
//      └─ removed ──► (aborted packet)
//
//   waiting → begun      [serve, on a worker's thread]
//   waiting → removed    [remove: a cancel came in time]
//   begun → finished     [serve; a cancel changes nothing any more]
//   finished → packet    [takeFinished, on the loop's thread]
//
// A call that hangs stays begun. When the port is closed its thread is left behind with what it holds: this object, and memory that the
// ledger never frees because no packet came.

/// A few threads that read and write what epoll cannot watch: regular files, block devices, /dev/null and the like.
///
/// They take operations in order, block every signal, and end each one by a wake of the port. The functions with a comment that says so run
/// on a worker's thread; all others on the loop's.
final class FileWorkers {
    private let gate = Gate()
    // Guarded by the gate.
    private var waiting = ParkingLot()
    private var waitingCount = 0
    private var idleCount = 0
    private var isStopping = false
    /// The threads that are in a call now.
    private var calling: [pthread_t] = []

    private var threads: [pthread_t] = []
    private let finished = FinishedList()
    private let waker: EpollWaker

    /// Two, so that one hanging file system does not stop everything; more would only queue at the same disk.
    static let threadsMax = 2

    /// How long closing waits for a call to return. The loop has waited for it before, and given it up.
    private static let joinNanosecondsMax: UInt64 = 50_000_000

    init(waker: EpollWaker) { self.waker = waker }

    // MARK: the loop's side

    /// Queues a call. Returns why there is no thread to make it, if there is none at all.
    func submit(_ operation: Operation) -> SystemCode? {
        let needsThread = gate.withLock {
            waiting.append(operation)
            waitingCount += 1
            gate.open()
            return waitingCount > idleCount && threads.count < FileWorkers.threadsMax
        }
        guard needsThread, let code = startThread(), threads.isEmpty else { return nil }
        _ = remove(operation)
        return code
    }

    /// Takes a call back that no thread has begun. False if it is too late.
    func remove(_ operation: Operation) -> Bool {
        gate.withLock {
            guard !operation.record.traits.contains(.isBegun) else { return false }
            waiting.remove(operation)
            waitingCount -= 1
            return true
        }
    }

    /// Operations whose calls have returned, their completions in place.
    func takeFinished() -> ParkingLot { finished.takeAll() }

    /// Ends the threads and returns how many are stuck in a call and left behind.
    func close() -> Int {
        var dropped = ParkingLot()
        let underWay = gate.withLock {
            isStopping = true
            gate.openForAll()
            swap(&dropped, &waiting)
            return calling
        }
        let bound = Native.now() + FileWorkers.joinNanosecondsMax
        let stuck = threads.filter { !Native.join($0, until: underWay.contains($0) ? bound : .max) }
        for thread in stuck { Native.abandon(thread) }
        dropWork(&dropped)
        var unseen = takeFinished()
        dropWork(&unseen)
        return stuck.count
    }

    private func dropWork(_ lot: inout ParkingLot) {
        while let operation = lot.popFirst() { _ = operation.takeWork() }
    }

    // SAFETY: the thread takes over one reference to this object, or gives it back here if it never begins.
    private func startThread() -> SystemCode? {
        let own = unsafe Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = unsafe portloop_start_thread(&thread, workerMain, own.toOpaque())
        guard code == 0 else {
            unsafe own.release()
            return SystemCode(rawValue: -code)
        }
        threads.append(thread)
        return nil
    }

    // MARK: the workers' side. What it writes to an operation it writes by field: a cancel may be looking at the rest.

    /// Makes calls until the port is closed. On a worker's thread.
    fileprivate func serve() {
        while let operation = next() {
            operation[\.completion] = operation.performOnFile()
            // A wake that fails cannot be made up for here; it fails only if the counter is full, and then the port is awake.
            if finished.add(operation) { _ = waker.wake() }
        }
    }

    private func next() -> Operation? {
        gate.withLock {
            calling.removeAll { $0 == pthread_self() }
            idleCount += 1
            defer { idleCount -= 1 }
            while !isStopping {
                if let operation = waiting.popFirst() {
                    waitingCount -= 1
                    calling.append(pthread_self())
                    operation[\.traits].insert(.isBegun)
                    return operation
                }
                gate.wait()
            }
            return nil
        }
    }
}

// SAFETY: `startThread` passed a reference that it retained for this thread.
private func workerMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { trap("A worker was started for nobody.") }
    let workers = unsafe Unmanaged<FileWorkers>.fromOpaque(context).takeRetainedValue()
    Native.nameThread("portloop-file")
    workers.serve()
    return nil
}

extension Operation {
    /// The whole of a file operation, blocking as long as it takes. On a worker's thread.
    fileprivate func performOnFile() -> Completion {
        let hasOffset = record.traits.contains(.hasOffset)
        switch record.verb {
        case .read: return readFile(isSeekable: hasOffset)
        case .write: return writeFile(hasOffset) { $0 ? callWriteAtOffset() : callWrite(max: .max) }
        case .gather: return writeFile(hasOffset) { $0 ? callGatherAtOffset() : callGather(max: .max) }
        default: trap("The verb \(record.verb) is not a file's.")
        }
    }

    /// A device that turns out to be a stream is read as one: streams ignore the offset.
    private func readFile(isSeekable: Bool) -> Completion {
        switch isSeekable ? callReadAtOffset() : callRead() {
        case .count(let count): .success(count)
        case .failed(.notSeekable) where isSeekable: readFile(isSeekable: false)
        case .failed(let code): .failure(code)
        }
    }

    private func writeFile(_ hasOffset: Bool, _ call: (_ isSeekable: Bool) -> Answer) -> Completion {
        var isSeekable = hasOffset
        while record.progress < record.length {
            switch call(isSeekable) {
            case .count(0): return .failure(.inputOutput, count: record.progress)
            case .count(let count): self[\.progress] += count
            case .failed(.notSeekable) where isSeekable: isSeekable = false
            case .failed(let code): return .failure(code, count: record.progress)
            }
        }
        return .success(record.progress)
    }
}
