import LoopCore
import LoopSim
import Testing

/// A recorded run plays again without what it was recorded on.
@Suite("Replay") struct ReplayTests {
    /// Handles that the program is given: in a replay they are numbers and nothing else.
    private struct Handles {
        let near: NativeHandle
        let datagrams: NativeHandle
        let listener: NativeHandle
    }

    /// A program whose course depends on everything a port can tell it.
    private func run(_ loop: EventLoop, _ handles: Handles) throws -> [String] {
        let ops = loop.operationsOnThisThread()
        var log: [String] = []
        let near = try ops.associate(handles.near)
        func read(_ left: Int) throws {
            try ops.perform(on: near, capacity: 5, timeout: .microseconds(300)) {
                $0.read()
            } completed: { id, end in
                guard let outcome = try? ops.result(id) else { return log.append("\(end)") }
                log.append("\(outcome.completion) \(outcome.copyBytes()) \(end)")
                if left > 0 { try? read(left - 1) }
            }
        }
        try read(30)
        let memory = unsafe try ops.prepare(near, capacity: 3)
        unsafe memory.buffer.copyBytes(from: [1, 2, 3])
        try ops.write(unsafe memory.id, segments: [0..<1, 1..<3])
        let datagrams = try ops.associate(handles.datagrams)
        let message = unsafe try ops.prepare(datagrams, capacity: 4, address: .one).id
        try ops.receive(message)
        let accept = unsafe try ops.prepare(try ops.associate(handles.listener)).id
        try ops.accept(accept)
        for _ in 0..<60 { loop.turn(.until(loop.now.advanced(by: 100_000))) }
        let received = try ops.result(message)
        log.append("\(received.completion) \(received.copyBytes()) \(received.address?.storage[0] ?? 0)")
        log.append("\(try ops.result(accept).completion)")
        try ops.retire(near) { log.append("\($0)") }
        log.append("\(loop.shutdown().operations.count)")
        return log
    }

    /// Records the program on a simulated port that does what it can to be hard to repeat.
    private func record() throws -> (trace: Trace, log: [String], handles: Handles) {
        var faults = SimulatedFaults.drawn(from: 11)
        faults.getsStuck = .never
        faults.refusesOperations = .never
        faults.refusesAssociations = .never
        faults.foreignPackets = Chance(perThousand: 100)
        faults.reordersPackets = Chance(perThousand: 500)
        let port = SimulatedPort(seed: 3, faults: faults)
        let (near, far) = port.makeStreamPair()
        let (datagrams, sender) = port.makeDatagramPair()
        let (listener, address) = port.makeListener()
        for number in 0..<20 {
            port.after(UInt64(number) * 170_000) { [port] in _ = port.feed(far, [UInt8](repeating: UInt8(number), count: 7)) }
        }
        _ = port.feed(sender, [9, 9])
        _ = port.connectClient(to: address)
        let recorder = TraceRecorder(port)
        let handles = Handles(near: near, datagrams: datagrams, listener: listener)
        let log = try run(EventLoop(port: recorder), handles)
        return (recorder.trace, log, handles)
    }

    @Test("A recorded program does the same on the replayed trace, to the last byte") func same() throws {
        let (trace, log, handles) = try record()
        let replay = ReplayPort(trace)
        #expect(try run(EventLoop(port: replay), handles) == log)
        #expect(replay.isFinished)
        #expect(log.count > 20)
    }

    @Test("A trace is its text") func text() throws {
        let (trace, _, _) = try record()
        #expect(Trace(text: trace.text) == trace)
        #expect(trace.lines.count > 100)
    }

    @Test("A program that does something else is told where") func divergence() throws {
        let (trace, _, handles) = try record()
        var found: [ReplayDivergence] = []
        let replay = ReplayPort(trace) { found.append($0) }
        let ops = EventLoop(port: replay).operationsOnThisThread()
        let near = try ops.associate(handles.near)
        let id = unsafe try ops.prepare(near, capacity: 6).id
        try ops.read(id)
        #expect(found.first?.expected.hasPrefix("read #1 3 0.1 5") == true)
        #expect(found.first?.asked == "read #1 3 0.1 6 -")
    }
}
