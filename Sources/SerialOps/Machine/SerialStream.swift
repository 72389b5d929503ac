import LoopCore
import StreamOps
import _Concurrency

// The life of an open port.
//
//    open ──closed, read failed, device gone──► ending ──packets in, or grace over──► retired ──helper thread──► closed
//
//    open    → ending   [finish: nobody is served any more; those who wait are told why]
//    ending  → retired  [the ledger has every packet back, or gives up on some]
//    retired → closed   [closeHandle: the device has its handle back from us]

/// An open port without tasks: the standing read, what it brought, and who waits for what. It belongs to the loop's thread.
///
/// One read is in flight as long as there is room for what it brings, whoever waits and whether anybody does. Whoever stops waiting leaves
/// it alone; only the end of the port ends it. So no timeout and no cancellation can lose a byte.
final class SerialStream {
    let device: any SerialDevice
    let operations: Operations
    let handle: AssociatedHandle
    var settings: SerialSettings {
        didSet { (bufferBytes, readBytes) = (settings.bufferBytes, settings.readBytes) }
    }
    // Of the settings, what each read asks for, where it is looked at without a check for overlapping access (counted, 80 instructions).
    private var bufferBytes: Int
    private var readBytes: Int
    /// Who reads, who writes, and who waits for events: one call at a time of each.
    let readTurn: Turn
    let writeTurn: Turn
    let eventTurn: Turn
    /// Where the one who reads waits for bytes.
    let arrivals: WaitQueue
    /// Where those wait who drain, where the driver says when it is done: nil until somebody does.
    var flushes: WaitQueue?
    let input: ByteQueue
    /// Bytes that somebody waits for in one piece: so many may be there, whatever the settings allow.
    private var demand = 0
    var statistics = SerialStatistics()
    var tap: SerialTap?
    /// What the stream itself found out, for whoever listens next. Bounded: the oldest go first.
    private(set) var noted: [SerialEvent] = []
    /// How far events of the lines have been told, of a device that counts them; nil until somebody asks.
    var counted: (LineCounters, ModemLines)?
    var watchdogs: [Watchdog] = []
    var lastWatchdog = 0
    /// Why nobody is served any more.
    private(set) var ending: SerialError?
    private(set) var closing = Closing.notYet
    /// Nil until somebody waits for the end of closing, which mostly comes at once.
    private var closed: WaitQueue?
    private var reads: OperationKind?
    private(set) var reading: OperationID?
    /// What the last read had room for.
    private var readCapacity = 0
    private var emptyReads = 0
    private var marks = ErrorMarks()

    enum Closing {
        case notYet
        case underWay
        case done(CloseReport)
    }

    init(_ device: any SerialDevice, _ settings: SerialSettings, _ operations: Operations) throws(SerialError) {
        self.device = device
        self.settings = settings
        (bufferBytes, readBytes) = (settings.bufferBytes, settings.readBytes)
        self.operations = operations
        readTurn = Turn(operations)
        writeTurn = Turn(operations)
        eventTurn = Turn(operations)
        arrivals = operations.makeWaitQueue()
        input = ByteQueue(capacity: min(max(1, settings.bufferBytes), 4_096))
        counted = device.countedAtOpening
        do throws(AssociationError) {
            handle = try operations.associate(device.handle, options: .shortReadsEmpty)
        } catch {
            throw .notASerialPort(SerialText("handle \(device.handle.rawValue)"))
        }
        do throws(OperationError) {
            reads = try operations.kind(on: handle, bytesOnError: device.bytesOnError) { [self] id, end in readEnded(id, end) }
        } catch {
            throw .loop(.open, error)
        }
        read()
    }

    // MARK: reading

    /// So many bytes are waited for.
    func demand(_ count: Int) {
        let isMore = count > demand
        demand = count
        if isMore { read() }
    }

    /// Starts the standing read, if there is room for what it may bring.
    // SAFETY: of the prepared memory the id alone is used.
    func read() {
        let capacity = nextCapacity
        guard reading == nil, ending == nil, capacity > 0, let reads else { return }
        do throws(OperationError) {
            let id = unsafe try operations.prepare(reads, capacity: capacity).id
            readCapacity = capacity
            start(id)
        } catch {
            finish(.loop(.read, error))
        }
    }

    /// As ``read()``, in the memory of the last one, if that is as large as the next is to be.
    @inline(__always)
    private func read(in renewed: OperationID) {
        guard reading == nil, ending == nil, nextCapacity == readCapacity else { return readAnew(instead: renewed) }
        start(renewed)
    }

    // SAFETY: no native call was made.
    @inline(never)
    private func readAnew(instead renewed: OperationID) {
        unsafe try? operations.abandon(renewed)
        read()
    }

    /// How much the next read may bring; nothing, where there is no room.
    @inline(__always)
    private var nextCapacity: Int { min(max(1, readBytes), max(bufferBytes, demand, 1) - input.count) }

    @inline(__always)
    private func start(_ id: OperationID) {
        reading = id
        do throws(OperationError) {
            try operations.read(id)
        } catch {
            reading = nil
            finish(whyNotRead(error))
        }
    }

    private func whyNotRead(_ error: OperationError) -> SerialError {
        guard case .refused(let code) = error else { return .loop(.read, error) }
        return device.isGone(code) ? .disconnected : .system(.read, code)
    }

    /// The packet of the standing read: what it brought is kept, whatever has become of the port since.
    // SAFETY: no native call was made.
    private func readEnded(_ id: OperationID, _ end: WaitEnd) {
        reading = nil
        if case .stuck = end { return finish(.stuck(.read)) }
        guard let (next, (count, over)) = try? operations.renew(id, { facts, bytes in took(facts, bytes) }) else { return lastEnded(id) }
        if let over {
            unsafe try? operations.abandon(next)
            finish(over)
        } else if count > 0 {
            emptyReads = 0
            read(in: next)
            tellReader(count)
        } else {
            readAgain(in: next)
        }
    }

    /// A read ended that cannot be made again, because the port ends or the loop does: ``read()`` finds out which.
    @inline(never)
    private func lastEnded(_ id: OperationID) {
        guard let (count, over) = try? operations.withResult(id, { facts, bytes in took(facts, bytes) }) else { return }
        if let over { return finish(over) }
        read()
        if count > 0 { tellReader(count) }
    }

    private func took(_ completion: Completion, _ bytes: RawSpan) -> (count: Int, over: SerialError?) {
        received(bytes)
        return (bytes.byteCount, verdict(completion))
    }

    /// One byte that came alone is told of a turn later: the read that was started meanwhile has found what came with it by then.
    private func tellReader(_ count: Int) {
        if count == 1, device.firstByteComesAlone {
            operations.call(after: .zero) { [self] in arrivals.wakeFirst() }
        } else {
            arrivals.wakeFirst()
        }
    }

    private func received(_ bytes: RawSpan) {
        guard !bytes.isEmpty else { return }
        statistics.bytesReceived += UInt64(bytes.byteCount)
        statistics.reads += 1
        noteMove()
        tap?(.input, operations.now, bytes)
        if settings.marksDamage { return receiveMarked(bytes) }
        input.append(bytes)
    }

    private func receiveMarked(_ bytes: RawSpan) {
        let (plain, events) = marks.decode(bytes)
        // SAFETY: the span is the array's, for the time of the call.
        unsafe plain.withUnsafeBytes { unsafe input.append(RawSpan(_unsafeBytes: $0)) }
        events.forEach(note)
    }

    /// What a packet says about the port; nil if it goes on.
    private func verdict(_ completion: Completion) -> SerialError? {
        switch completion.severity {
        case .success, .warning:
            return completion.count == 0 && device.emptyReadMeansGone(completion.status) ? .disconnected : nil
        case .aborted:
            guard ending == nil else { return nil }
            // Not by us: somebody purged the port, or the loop ends. What the driver had moved by then nobody knows.
            if completion.count > 0, device.bytesOnError == .withheld { note(.possiblyLost(completion.count)) }
            return nil
        case .error:
            return device.isGone(completion.error) ? .disconnected : .system(.read, completion.error)
        }
    }

    private func note(_ event: SerialEvent) {
        if case .possiblyLost(let count) = event { statistics.possiblyLost += UInt64(count) }
        if noted.count == SerialStream.notedMax { noted.removeFirst() }
        noted.append(event)
    }

    func takeNoted() -> [SerialEvent] {
        defer { noted = [] }
        return noted
    }

    private static let notedMax = 64

    /// Reads that bring nothing are made again: at once, and where a driver ends all of them at once, a millisecond later each.
    // SAFETY: no native call was made.
    private func readAgain(in renewed: OperationID) {
        statistics.emptyReads += 1
        emptyReads += 1
        guard emptyReads > SerialStream.emptyReadsMax else { return read(in: renewed) }
        unsafe try? operations.abandon(renewed)
        operations.call(after: .milliseconds(1)) { [self] in read() }
    }

    /// So many reads in a row may bring nothing before the next is put off.
    private static let emptyReadsMax = 8

    // MARK: ending

    /// Nobody is served any more: those who wait are told, and the handle goes back to the system.
    func finish(_ error: SerialError) {
        guard ending == nil else { return }
        ending = error
        closing = .underWay
        arrivals.wakeAll()
        flushes?.wakeAll()
        device.beginClose()
        do throws(OperationError) {
            try operations.retire(handle) { [self] report in closeHandle(report) }
        } catch {
            trap("A port's handle was retired by somebody else: \(error). It belongs to the port.")
        }
    }

    /// Closing may take as long as the driver likes, so a helper thread does it.
    private func closeHandle(_ report: RetireReport) {
        if device.closesAtOnce {
            device.close()
            return hasClosed(CloseReport(operationsLeft: report.stuck, isHandleLeft: false))
        }
        let (device, me) = (device, Confined(self, of: operations))
        operations.loop.spawn(name: "close a serial port") { loop async in
            var isHandleLeft = false
            do throws(OffloadError<Never>) {
                try await loop.offload(name: "close a serial port", timeout: SerialStream.closeBound) { device.close() }
            } catch .timedOut {
                isHandleLeft = true
            } catch {
                // There is no thread to be had any more.
                device.close()
            }
            me.on(loop).hasClosed(CloseReport(operationsLeft: report.stuck, isHandleLeft: isHandleLeft))
        }
    }

    private func hasClosed(_ report: CloseReport) {
        closing = .done(report)
        closed?.wakeAll()
    }

    /// Waits for the end of closing, whatever becomes of the task.
    func awaitClose() async -> CloseReport {
        while true {
            if case .done(let report) = closing { return report }
            do throws(WaitError) {
                try await closed.made(by: operations).waitShielded()
            } catch {
                // The loop has ended, and closes what it had.
                device.close()
                return CloseReport(operationsLeft: 0, isHandleLeft: false)
            }
        }
    }

    /// So long a driver may take to close a handle before it is left to its thread.
    static let closeBound = Duration.seconds(2)

    /// What ends the port when it is dropped, on any thread: an operation that is over when nobody can complete it any more.
    func endWhenDropped() -> RemoteCompletion? {
        var owner: RemoteCompletion?
        _ = try? operations.perform(on: handle) { op in
            op.remote(whenCancelled: .ends) { owner = $0 }
        } completed: { [self] id, _ in
            try? operations.free(id)
            finish(.closed)
        }
        return owner
    }
}
