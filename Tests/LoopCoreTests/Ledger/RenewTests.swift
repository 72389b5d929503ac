import Testing

@testable import LoopCore

@Suite("Renewed operations") struct RenewTests {
    @Test("The facts are handed over, the old id is dead, and the next operation has the memory and its bytes") func renewed() throws {
        try Bench.run { bench in
            let pair = try Pair(bench, capacity: 64)
            let read = try pair.read(posting: Completion(count: 5), bytes: [1, 2, 3, 4, 5])
            let before = try bench.ops.ledger.find(read)
            let renewed = try bench.ops.renew(read, as: pair.writes, tag: 9)
            #expect(renewed.facts == Completion(count: 5))
            #expect(throws: OperationError.staleID) { try bench.ops.state(read) }
            #expect(try bench.ops.state(renewed.id) == .prepared)
            #expect(try bench.ops.ledger.find(renewed.id) == before && before.record.tag == 9)
            try bench.ops.checkInvariants()
            #expect(try pair.write(renewed.id, count: 5) == [1, 2, 3, 4, 5])
            #expect(pair.told == ["write 5"])
            try bench.ops.free(renewed.id)
        }
    }

    @Test("An echo of one record goes round as often as it likes, and each end is its kind's to hear") func round() throws {
        try Bench.run { bench in
            let pair = try Pair(bench, capacity: 64)
            var id = try pair.read(posting: Completion(count: 1), bytes: [7])
            for _ in 0..<100 {
                let write = try bench.ops.renew(id, as: pair.writes)
                #expect(try pair.write(write.id, count: 1) == [7])
                let read = try bench.ops.renew(write.id, as: pair.reads)
                try bench.ops.read(read.id)
                try pair.finish(Completion(count: 1))
                id = read.id
            }
            #expect(pair.told.count == 200 && bench.ops.ledger.slab.indexCount == 1)
            #expect(bench.ops.metrics.operations.preparedEver == 201)
            try bench.ops.free(id)
        }
    }

    @Test("One that failed is renewed with its error") func failed() throws {
        try Bench.run { bench in
            let pair = try Pair(bench, capacity: 16)
            let failed = try pair.read(posting: Completion(count: 0, error: SystemCode(rawValue: 5), severity: .error), bytes: [])
            let renewed = try bench.ops.renew(failed, as: pair.reads)
            #expect(renewed.facts.error == SystemCode(rawValue: 5))
            try pair.abandon(renewed.id)
        }
    }

    @Test("What was received is shown before the next operation takes its place, and what was not received is not") func shown() throws {
        try Bench.run { bench in
            let pair = try Pair(bench, capacity: 16)
            let read = try pair.read(posting: Completion(count: 3), bytes: [1, 2, 3])
            let (next, found) = try bench.ops.renew(read, as: pair.writes, tag: 7) { facts, bytes in (facts, copy(bytes)) }
            #expect(found == (Completion(count: 3), [1, 2, 3]))
            #expect(throws: OperationError.staleID) { try bench.ops.state(read) }
            #expect(try pair.write(next, count: 2) == [1, 2])
            let (last, written) = try bench.ops.renew(next, as: pair.reads) { facts, bytes in (facts, copy(bytes)) }
            #expect(written == (Completion(count: 2), []), "what was written is nobody's input")
            try bench.ops.read(last)
            try pair.finish(Completion(count: 2, error: SystemCode(rawValue: 5), severity: .error))
            let (failed, bytes) = try bench.ops.renew(last) { _, bytes in copy(bytes) }
            #expect(bytes == [], "bytes of a failed read are withheld")
            try pair.abandon(failed)
            #expect(throws: OperationError.staleID) { try bench.ops.renew(last) { _, _ in Issue.record("shown though it is refused") } }
        }
    }

    @Test("Without a kind it stays what it was: told to the kind it is of, or to whoever waits for it") func sameKind() throws {
        try Bench.run { bench in
            let pair = try Pair(bench, capacity: 16)
            let read = try bench.ops.renew(pair.read(posting: Completion(count: 1), bytes: [1]))
            try bench.ops.read(read.id)
            try pair.finish(Completion(count: 2))
            #expect(pair.told == ["read 2"])
            try bench.ops.free(read.id)

            let own = try bench.read(pair.handle, tag: 4)
            try pair.finish(Completion(count: 3))
            let next = try bench.ops.renew(own, tag: 5)
            try bench.ops.read(next.id)
            try pair.finish(Completion(count: 4))
            #expect(pair.told == ["read 2"])
            #expect(try bench.ops.takeFacts(next.id).count == 4)
        }
    }

    @Test("What somebody else completed is the driver's when it is renewed: its cancel is asked of the port") func remote() throws {
        try Bench.run { bench in
            let pair = try Pair(bench, capacity: 16)
            var waiting: RemoteCompletion?
            var completed: OperationID?
            try bench.ops.perform(on: pair.handle) { op in
                op.remote(whenCancelled: .ends) { waiting = $0 }
            } completed: { id, _ in
                completed = id
            }
            waiting?.complete(count: 1)
            while completed == nil { bench.loop.turn(.poll) }
            let read = try bench.ops.renew(#require(completed), as: pair.reads)
            #expect(read.facts.count == 1)
            try bench.ops.read(read.id)
            _ = try bench.ops.cancel(read.id)
            #expect(bench.port.journal.lines.last == "cancel")
            bench.loop.turn(.poll)
            #expect(pair.told == ["read 0"])
            try bench.ops.free(read.id)
        }
    }

    @Test("A renewal that is refused changes nothing, and the result is there to be taken") func refused() throws {
        try Bench.run { bench in
            let pair = try Pair(bench, capacity: 16)
            let prepared = try pair.prepare()
            #expect(throws: OperationError.wrongState(expected: .completed, found: .prepared)) {
                try bench.ops.renew(prepared, as: pair.reads)
            }
            try bench.ops.read(prepared)
            #expect(throws: OperationError.alreadyAwaited) { try bench.ops.renew(prepared, as: pair.reads) }
            try pair.finish(Completion(count: 2))
            try Bench.run { other in
                let foreign = try other.ops.kind(on: other.associate()) { _, _ in }
                #expect(throws: OperationError.notAssociated) { try bench.ops.renew(prepared, as: foreign) }
                #expect(throws: OperationError.foreignID) { try other.ops.renew(prepared, as: foreign) }
            }
            try bench.ops.retire(pair.handle)
            #expect(throws: OperationError.notAssociated) { try bench.ops.renew(prepared, as: pair.reads) }
            #expect(try bench.ops.takeFacts(prepared).count == 2)
            #expect(throws: OperationError.staleID) { try bench.ops.renew(prepared, as: pair.reads) }
        }
    }

    @Test("A loop that ends refuses, and loses nothing") func closed() throws {
        let bench = try Bench(Limits())
        let pair = try Pair(bench, capacity: 16)
        let read = try pair.read(posting: Completion(count: 2), bytes: [1, 2])
        bench.loop.shutdown()
        #expect(throws: OperationError.closed) { try bench.ops.renew(read, as: pair.reads) }
    }

    @Test("A large record and one with room for an address are renewed as any other") func unusual() throws {
        try Bench.run { bench in
            for (capacity, room) in [(1 << 20, AddressRoom.none), (16, .one)] {
                let pair = try Pair(bench, capacity: capacity, address: room)
                let read = try pair.read(posting: Completion(count: 3), bytes: [1, 2, 3])
                let renewed = try bench.ops.renew(read, as: pair.writes)
                #expect(try pair.write(renewed.id, count: 3) == [1, 2, 3])
                try bench.ops.free(renewed.id)
                try bench.ops.retire(pair.handle)
            }
        }
    }

    @Test("A kind of another handle, or with other room for an address, ends the process with a sentence") func misuse() async {
        let foreign = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Bench.run { bench in
                let (one, other) = (try Pair(bench, capacity: 16), try Pair(bench, capacity: 16, number: 4))
                _ = try bench.ops.renew(one.read(posting: Completion(count: 0), bytes: []), as: other.reads)
            }
        }
        expectSentence("An operation was renewed as a kind of another handle.", in: foreign)
        let room = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Bench.run { bench in
                let pair = try Pair(bench, capacity: 16)
                let kind = try bench.ops.kind(on: pair.handle, address: .one) { _, _ in }
                _ = try bench.ops.renew(pair.read(posting: Completion(count: 0), bytes: []), as: kind)
            }
        }
        expectSentence("An operation was renewed as a kind that differs in its room for an address.", in: room)
    }
}

/// A handle with a kind for reads and one for writes, which note what they are told.
private final class Pair {
    let bench: Bench
    let handle: AssociatedHandle
    let capacity: Int
    private(set) var told: [String] = []
    private var kinds: (reads: OperationKind, writes: OperationKind)?

    init(_ bench: Bench, capacity: Int, address: AddressRoom = .none, number: Int = 3) throws {
        self.bench = bench
        self.capacity = capacity
        handle = try bench.associate(number)
        kinds = (
            try bench.ops.kind(on: handle, address: address) { [unowned self] in note("read", $0, $1) },
            try bench.ops.kind(on: handle, address: address) { [unowned self] in note("write", $0, $1) }
        )
    }

    var reads: OperationKind { get throws { try #require(kinds).reads } }
    var writes: OperationKind { get throws { try #require(kinds).writes } }

    private func note(_ what: String, _ id: OperationID, _ end: WaitEnd) {
        guard case .completed? = try? bench.ops.state(id), let cell = try? bench.ops.ledger.find(id) else { return }
        told.append("\(what) \(cell.record.completion.count)")
    }

    // SAFETY: the memory is only named.
    func prepare() throws -> OperationID { unsafe try bench.ops.prepare(reads, capacity: capacity).id }

    /// Ends the operation that was started last.
    func finish(_ completion: Completion) throws {
        bench.port.finish(try bench.request, completion)
        bench.loop.turn(.poll)
    }

    /// Writes the bytes that are in the buffer, and returns them.
    // SAFETY: the buffer is the operation's while it is in flight.
    func write(_ id: OperationID, count: Int) throws -> [UInt8] {
        try bench.ops.write(id, count: count)
        let bytes = unsafe [UInt8](try bench.request.buffer.prefix(count))
        try finish(Completion(count: count))
        return bytes
    }

    // SAFETY: no native call is made.
    func abandon(_ id: OperationID) throws { unsafe try bench.ops.abandon(id) }

    /// A read that has completed, with those bytes in its buffer. What was told of it is forgotten.
    // SAFETY: the buffer is the operation's while it is in flight.
    func read(posting completion: Completion, bytes: [UInt8]) throws -> OperationID {
        let id = try prepare()
        try bench.ops.read(id)
        unsafe try bench.request.buffer.copyBytes(from: bytes)
        try finish(completion)
        told = []
        return id
    }
}

// SAFETY: the bytes are copied while the span lives.
private func copy(_ bytes: RawSpan) -> [UInt8] { unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) } }
