import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: attempts", .ownDescriptors) struct AttemptTests {
    @Test("A function that is done at once answers at once")
    func atOnce() throws {
        let bench = try PortBench()
        let near = try bench.associate(Carrier.pipe.open().near)
        let attempt = Lent(capacity: 0)
        #expect(
            bench.start(attempt, on: near, inline: .allowed) { $0.attempt($1, nil) { _ in .done(count: 4) } }
                == .completed(Completion(count: 4)))
        bench.start(attempt, on: near, inline: .never) { $0.attempt($1, nil) { _ in .failed(.number(EIO)) } }
        let completion = bench.packet(of: attempt)
        #expect(completion.error == .number(EIO))
        #expect(completion.severity == .error)
        bench.end()
    }

    @Test("A function that would block runs again at each edge of its direction until it is done", arguments: Carrier.duplex)
    func retries(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        let near = try bench.associate(ends.near)
        var runs = 0
        var arrived: [UInt8] = []
        let attempt = Lent(capacity: 0)
        bench.start(attempt, on: near) {
            $0.attempt($1, nil) { handle in
                #expect(handle == near.handle)
                runs += 1
                while let bytes = ends.near.read(), !bytes.isEmpty { arrived += bytes }
                return arrived.count < 3 ? .wouldBlock(.read) : .done(count: arrived.count)
            }
        }
        for byte in UInt8(1)...3 {
            // A terminal's bytes take a detour through a worker of the kernel's.
            while runs < Int(byte) { #expect(bench.wait(.poll).isEmpty) }
            #expect(runs == Int(byte))
            ends.far.write([byte])
        }
        #expect(bench.packet(of: attempt) == Completion(count: 3))
        #expect(arrived == [1, 2, 3])
        bench.end()
    }

    @Test("A function may wait for one direction and then for the other")
    func bothDirections() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        _ = ends.near.fill()
        let attempt = Lent(capacity: 0)
        var hasRead = false
        bench.start(attempt, on: near) {
            $0.attempt($1, nil) { _ in
                if !hasRead { hasRead = ends.near.read() != nil }
                guard hasRead else { return .wouldBlock(.read) }
                return ends.near.write([5]) == 1 ? .done(count: 1) : .wouldBlock(.write)
            }
        }
        #expect(bench.packetsNow().isEmpty)
        ends.far.write([1])
        #expect(bench.packetsNow().isEmpty)
        #expect(hasRead)
        var found: [Finished] = []
        while found.isEmpty {
            _ = ends.far.read()
            found = bench.wait(.poll)
        }
        #expect(found.map(\.completion) == [Completion(count: 1)])
        bench.end()
    }

    @Test("A function that would block again keeps its place in front of those behind it")
    func keepsItsPlace() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        var left = 2
        let (attempt, read) = (Lent(capacity: 0), Lent(capacity: 8))
        bench.start(attempt, on: near) {
            $0.attempt($1, nil) { _ in
                guard ends.near.read(max: 1) != nil else { return .wouldBlock(.read) }
                left -= 1
                return left > 0 ? .wouldBlock(.read) : .done(count: 0)
            }
        }
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.far.write([1])
        #expect(bench.packetsNow().isEmpty, "the read does not overtake")
        ends.far.write([2, 3])
        let found = bench.packets(2)
        #expect(found.map(\.lent.address) == [attempt.address, read.address])
        #expect(read.bytes(1) == [3])
        bench.end()
    }

    @Test("A function whose direction is named is first called when there is something for it")
    func namedDirection() throws {
        let bench = try PortBench()
        let ends = Carrier.pipe.open()
        let near = try bench.associate(ends.near)
        let attempt = Lent(capacity: 0)
        var runs = 0
        bench.start(attempt, on: near, inline: .allowed) {
            $0.attempt($1, .read) { _ in
                runs += 1
                return ends.near.read().map { .done(count: $0.count) } ?? .wouldBlock(.read)
            }
        }
        #expect(bench.packetsNow().isEmpty)
        #expect(runs == 0)
        ends.far.write([1, 2])
        #expect(bench.packet(of: attempt) == Completion(count: 2))
        #expect(runs == 1)
        bench.end()
    }

    @Test("A function whose direction is named is called at once where nothing stands in its way")
    func namedDirectionAtOnce() throws {
        let bench = try PortBench()
        let near = try bench.associate(Carrier.unixStream.open().near)
        let attempt = Lent(capacity: 0)
        #expect(
            bench.start(attempt, on: near, inline: .allowed) { $0.attempt($1, .write) { _ in .done(count: 4) } }
                == .completed(Completion(count: 4)))
        bench.end()
    }

    @Test("A function whose direction is named stands in line; one whose direction is not goes first")
    func standsInLine() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let (read, named, eager) = (Lent(capacity: 1), Lent(capacity: 0), Lent(capacity: 0))
        func take() -> AttemptResult { ends.near.read(max: 1).map { .done(count: Int($0[0])) } ?? .wouldBlock(.read) }
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.far.write([1, 2, 3])
        bench.start(named, on: near) { $0.attempt($1, .read) { _ in take() } }
        bench.start(eager, on: near) { $0.attempt($1, nil) { _ in take() } }
        let found = bench.packets(3)
        #expect(found.map(\.lent.address) == [eager.address, read.address, named.address])
        #expect(found.map(\.completion.count) == [1, 1, 3])
        #expect(read.bytes(1) == [2])
        bench.end()
    }

    @Test("One that another function starts runs after it, and in front of what that function starts later", arguments: [false, true])
    func namedWithin(_ isDrained: Bool) throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let (outer, inner, read) = (Lent(capacity: 0), Lent(capacity: 0), Lent(capacity: 8))
        if !isDrained {
            ends.far.write([1, 2, 3])
            #expect(bench.packetsNow().isEmpty)
        }
        var isInside = false
        bench.start(outer, on: near) {
            $0.attempt($1, .read) { _ in
                isInside = true
                defer { isInside = false }
                bench.start(inner, on: near) {
                    $0.attempt($1, .read) { _ in
                        #expect(!isInside, "no function runs inside another")
                        return ends.near.read(max: 1).map { .done(count: Int($0[0])) } ?? .wouldBlock(.read)
                    }
                }
                bench.start(read, on: near) { $0.read($1, at: nil) }
                return ends.near.read(max: 1).map { .done(count: Int($0[0])) } ?? .wouldBlock(.read)
            }
        }
        if isDrained { ends.far.write([1, 2, 3]) }
        let counts = Dictionary(uniqueKeysWithValues: bench.packets(3).map { ($0.lent.address, $0.completion.count) })
        #expect(counts == [outer.address: 1, inner.address: 2, read.address: 1])
        #expect(read.bytes(1) == [3])
        bench.end()
    }

    @Test("A function may start other verbs, and what it starts in its own direction comes after it")
    func startsOthers() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let (attempt, read, write, inner) = (Lent(capacity: 0), Lent(capacity: 8), Lent([9]), Lent(capacity: 0))
        var isInside = false
        var isWaiting = true
        bench.start(attempt, on: near) {
            $0.attempt($1, nil) { _ in
                if isWaiting {
                    isWaiting = false
                    return .wouldBlock(.read)
                }
                isInside = true
                defer { isInside = false }
                bench.start(read, on: near) { $0.read($1, at: nil) }
                bench.start(write, on: near) { $0.write($1, count: 1, at: nil) }
                bench.start(inner, on: near) {
                    $0.attempt($1, nil) { _ in
                        #expect(!isInside, "no function runs inside another")
                        return .done(count: 7)
                    }
                }
                return .done(count: Int(ends.near.read(max: 1)?.first ?? 0))
            }
        }
        ends.far.write([4, 5])
        let found = bench.packets(4)
        let counts = Dictionary(uniqueKeysWithValues: found.map { ($0.lent.address, $0.completion.count) })
        #expect(counts == [attempt.address: 4, read.address: 1, write.address: 1, inner.address: 7])
        #expect(read.bytes(1) == [5])
        #expect(ends.far.readSoon() == [9])
        bench.end()
    }

    @Test("A function may cancel its own operation: what it answers still counts, if it is an answer", arguments: [true, false])
    func cancelsItself(_ isDone: Bool) throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let attempt = Lent(capacity: 0)
        var runs = 0
        bench.start(attempt, on: near) {
            $0.attempt($1, nil) { _ in
                runs += 1
                guard runs == 2 else { return .wouldBlock(.read) }
                #expect(bench.cancel(attempt) == .requested)
                #expect(bench.cancel(attempt) == .requested)
                return isDone ? .done(count: 3) : .wouldBlock(.read)
            }
        }
        ends.far.write([1])
        let completion = bench.packet(of: attempt)
        #expect(completion == (isDone ? Completion(count: 3) : .cancelled))
        #expect(runs == 2)
        bench.end()
    }

    @Test("A function may cancel those beside it, and finish what was behind it")
    func cancelsOthers() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let (attempt, read, waiter) = (Lent(capacity: 0), Lent(capacity: 8), Lent(capacity: 0))
        var runs = 0
        bench.start(attempt, on: near) {
            $0.attempt($1, nil) { _ in
                runs += 1
                guard runs == 2 else { return .wouldBlock(.read) }
                #expect(bench.cancel(read) == .requested)
                #expect(bench.cancel(waiter) == .requested)
                return .done(count: 0)
            }
        }
        bench.start(read, on: near) { $0.read($1, at: nil) }
        bench.start(waiter, on: near) { $0.poll($1, .priority) }
        ends.far.write([1])
        let found = bench.packets(3)
        #expect(found.first { $0.lent === read }?.completion == .cancelled)
        #expect(found.first { $0.lent === waiter }?.completion == .cancelled)
        #expect(found.first { $0.lent === attempt }?.completion == Completion(count: 0))
        #expect(ends.near.read() == [1])
        bench.end()
    }

    @Test("A function may dissociate its handle; if it would block then, it is aborted")
    func dissociates() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let (attempt, read) = (Lent(capacity: 0), Lent(capacity: 8))
        var runs = 0
        bench.start(attempt, on: near) {
            $0.attempt($1, nil) { _ in
                runs += 1
                if runs == 2 { bench.dissociate(near) }
                return .wouldBlock(.read)
            }
        }
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.far.write([1])
        let found = bench.packets(2)
        #expect(found.allSatisfy { $0.completion == .cancelled })
        #expect(runs == 2)
        let again = try bench.associate(ends.near)
        bench.start(read, on: again) { $0.read($1, at: nil) }
        #expect(bench.packet(of: read).count == 1)
        bench.end()
    }

    @Test("What a function holds is let go with its packet, and may cancel others as it goes")
    func lifetimes() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let (attempt, read) = (Lent(capacity: 0), Lent(capacity: 8))
        bench.start(read, on: near) { $0.read($1, at: nil) }
        var guardian: Guardian? = Guardian { #expect(bench.cancel(read) == .requested) }
        weak let witness = guardian
        bench.start(attempt, on: near) { [guardian] in
            $0.attempt($1, nil) { _ in
                guard ends.near.isOpen, guardian != nil else { return .failed(.number(EBADF)) }
                return .wouldBlock(.write)
            }
        }
        guardian = nil
        #expect(witness != nil)
        #expect(bench.cancel(attempt) == .requested)
        #expect(witness == nil)
        let found = bench.packets(2)
        #expect(found.map(\.lent.address) == [attempt.address, read.address])
        bench.end()
    }

    @Test("An attempt on a file, which is never unready, does not wait for ever")
    func file() throws {
        let bench = try PortBench()
        let near = try bench.associate(OpenFile(path: "/dev/null", O_RDWR))
        let attempt = Lent(capacity: 0)
        bench.start(attempt, on: near) { $0.attempt($1, nil) { _ in .wouldBlock(.read) } }
        #expect(bench.packet(of: attempt).error == .number(EAGAIN))
        bench.end()
    }
}

/// Says when it goes.
private final class Guardian {
    private let farewell: () -> Void

    init(_ farewell: @escaping () -> Void) { self.farewell = farewell }

    deinit { farewell() }
}

extension Completion {
    /// What an operation ends with that was cancelled before anything was done.
    static let cancelled = cancelled(count: 0)

    static func cancelled(count: Int) -> Completion {
        Completion(
            count: count, error: .number(ECANCELED), status: RawStatus(rawValue: UInt32(ECANCELED)), severity: .aborted)
    }
}
