import LoopCore
import LoopSim
import Testing

/// What the simulated objects do when nothing goes wrong.
@Suite("The simulated world") struct WorldTests {
    @Test("A stream holds what nobody reads, up to its bound, and then writes wait") func bounded() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream(bytesMax: 4)
        let id = try rig.write(handle, bytes("abcdef"))
        rig.loop.turn(.poll)
        #expect(try rig.ops.state(id) == .submitted)
        #expect(rig.port.drain(far, max: 3) == bytes("abc"))
        #expect(try rig.finish(id).completion.count == 6)
        #expect(rig.port.drain(far, max: 10) == bytes("def"))
        #expect(rig.port.drain(far, max: 10) == nil)
        rig.end(near, far)
    }

    @Test("A cancelled write says how much went out, and fails those behind it") func torn() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream(bytesMax: 4)
        let (first, second) = (try rig.write(handle, bytes("abcdef")), try rig.write(handle, bytes("ghi")))
        #expect(try rig.ops.cancel(first))
        #expect(try rig.finish(first).completion == SimulatedStatus.cancelled.completion(count: 4))
        #expect(try rig.finish(second).completion == SimulatedStatus.requestAborted.completion(count: 0))
        #expect(rig.port.drain(far, max: 10) == bytes("abcd"))
        rig.end(near, far)
    }

    @Test("After a hang-up a read brings what had arrived, and then the end; a write fails") func hangUp() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream()
        #expect(rig.port.feed(far, bytes("last")) == 4)
        rig.port.hangUp(far)
        #expect(try rig.finish(try rig.read(handle)).bytes == bytes("last"))
        #expect(try rig.finish(try rig.read(handle)).completion == SimulatedStatus.success.completion())
        #expect(try rig.finish(try rig.write(handle, bytes("x"))).completion == SimulatedStatus.brokenPipe.completion())
        rig.end(near, far)
    }

    @Test("A gathered write puts its ranges one behind the other") func gathered() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream()
        let id = try rig.prepare(handle, bytes("abcdef"))
        try rig.ops.write(id, segments: [4..<6, 0..<2])
        #expect(try rig.finish(id).completion.count == 4)
        #expect(rig.port.drain(far, max: 10) == bytes("efab"))
        rig.end(near, far)
    }

    @Test("A poll is answered when what it asks for is there") func poll() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream()
        let id = unsafe try rig.ops.prepare(handle).id
        try rig.ops.poll(id, .readable)
        rig.loop.turn(.poll)
        #expect(try rig.ops.state(id) == .submitted)
        #expect(rig.port.feed(far, bytes("a")) == 1)
        #expect(try rig.finish(id).completion.count == Int(Readiness.readable.rawValue))
        rig.end(near, far)
    }

    @Test("An attempt is tried until it has done its work") func attempt() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream()
        let id = unsafe try rig.ops.prepare(handle).id
        var calls: [NativeHandle] = []
        var found: [UInt8] = []
        try rig.ops.attempt(id) { [port = rig.port] handle in
            calls.append(handle)
            guard let bytes = port.drain(handle, max: 10) else { return .wouldBlock(.read) }
            found = bytes
            return .done(count: bytes.count)
        }
        #expect(calls == [near])
        rig.port.after(5000) { [port = rig.port] in _ = port.feed(far, bytes("abc")) }
        #expect(try rig.finish(id).completion.count == 3)
        #expect(found == bytes("abc"))
        #expect(calls == [near, near])
        rig.end(near, far)
    }

    @Test("An attempt puts bytes into the operation's buffer, and those are the outcome's") func attemptBytes() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream()
        let id = try rig.ops.perform(on: handle, capacity: 4) { [port = rig.port] op in
            op.attempt(.read) { handle, buffer in
                guard let bytes = port.drain(handle, max: buffer.byteCount) else { return .wouldBlock(.read) }
                for (place, byte) in bytes.enumerated() { buffer.storeBytes(of: byte, toByteOffset: place, as: UInt8.self) }
                return .done(count: bytes.count)
            }
        } completed: { _, _ in
        }
        #expect(rig.port.feed(far, bytes("abcdef")) == 6)
        #expect(try rig.finish(id).bytes == bytes("abcd"))
        #expect(rig.port.drain(near, max: 4) == bytes("ef"))
        rig.end(near, far)
    }

    @Test("An attempt that names a direction waits in its queue") func attemptDirection() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream(bytesMax: 2)
        let (write, attempt) = (try rig.write(handle, bytes("abc")), unsafe try rig.ops.prepare(handle).id)
        try rig.ops.attempt(attempt, .write) { [port = rig.port] handle in
            port.feed(handle, bytes("d")) == 1 ? .done(count: 1) : .wouldBlock(.write)
        }
        rig.loop.turn(.poll)
        #expect(try rig.ops.state(attempt) == .submitted)
        #expect(rig.port.drain(far, max: 8) == bytes("ab"))
        #expect(try rig.finish(write).completion.count == 3)
        #expect(try rig.finish(attempt).completion.count == 1)
        #expect(rig.port.drain(far, max: 8) == bytes("cd"))
        rig.end(near, far)
    }

    @Test("A datagram keeps its edges, and one that is cut says so") func datagrams() throws {
        let rig = Rig()
        let (near, far) = rig.port.makeDatagramPair()
        let handle = try rig.ops.associate(near)
        #expect(rig.port.feed(far, bytes("first")) == 5)
        #expect(rig.port.feed(far, bytes("second")) == 6)
        let first = unsafe try rig.ops.prepare(handle, capacity: 3, address: .one).id
        try rig.ops.receive(first)
        rig.loop.turn(.poll)
        let outcome = try rig.ops.result(first)
        let (completion, shown, length) = (outcome.completion, outcome.copyBytes(), outcome.address?.length)
        #expect(completion == SimulatedStatus.moreData.completion(count: 3))
        #expect(shown == bytes("fir"))
        #expect(length == 8)
        let second = unsafe try rig.ops.prepare(handle, capacity: 10).id
        try rig.ops.receive(second)
        #expect(try rig.finish(second).bytes == bytes("second"))
        let third = try rig.prepare(handle, bytes("back"))
        try rig.ops.send(third, count: 4)
        #expect(try rig.finish(third).completion.count == 4)
        #expect(rig.port.drain(far, max: 10) == bytes("back"))
        rig.end(near, far)
    }

    @Test("A file is read and written at offsets, and ends where it ends") func files() throws {
        let rig = Rig()
        let file = rig.port.makeFile(bytes("0123456789"))
        let handle = try rig.ops.associate(file)
        let read = unsafe try rig.ops.prepare(handle, capacity: 4).id
        try rig.ops.read(read, at: FileOffset(8))
        #expect(try rig.finish(read).bytes == bytes("89"))
        let write = try rig.prepare(handle, bytes("xyz"))
        try rig.ops.write(write, count: 3, at: FileOffset(9))
        #expect(try rig.finish(write).completion.count == 3)
        #expect(rig.port.contents(file) == bytes("012345678xyz"))
        let past = unsafe try rig.ops.prepare(handle, capacity: 4).id
        try rig.ops.read(past, at: FileOffset(100))
        #expect(try rig.finish(past).completion == SimulatedStatus.success.completion())
        rig.end(file)
    }

    @Test("A client connects, is accepted, and is refused where nobody listens") func connections() throws {
        let rig = Rig()
        let (listener, address) = rig.port.makeListener()
        let client = rig.port.makeSocket()
        let (listening, connecting) = (try rig.ops.associate(listener), try rig.ops.associate(client))
        let connect = unsafe try rig.ops.prepare(connecting, address: .one).id
        try rig.ops.connect(connect, to: address)
        #expect(try rig.finish(connect).completion == SimulatedStatus.success.completion())
        let accept = unsafe try rig.ops.prepare(listening).id
        try rig.ops.accept(accept)
        let server = try rig.finish(accept).completion.acquired
        #expect(rig.port.feed(server, bytes("hi")) == 2)
        #expect(rig.port.drain(client, max: 10) == bytes("hi"))
        rig.port.close(listener)
        let late = rig.port.makeSocket()
        let handle = try rig.ops.associate(late)
        let refused = unsafe try rig.ops.prepare(handle, address: .one).id
        try rig.ops.connect(refused, to: address)
        #expect(try rig.finish(refused).completion == SimulatedStatus.connectionRefused.completion())
        rig.end(client, server, late)
    }

    @Test("A connection that nobody takes is closed with its completion") func untaken() throws {
        let rig = Rig()
        let (listener, address) = rig.port.makeListener()
        let handle = try rig.ops.associate(listener)
        let accept = unsafe try rig.ops.prepare(handle).id
        try rig.ops.accept(accept)
        let client = try #require(rig.port.connectClient(to: address))
        rig.turn { (try? rig.ops.state(accept)) == .completed }
        #expect(rig.port.openHandleCount == 3)
        try rig.ops.free(accept)
        rig.end(listener, client)
    }

    @Test("A device completes nothing by itself") func devices() throws {
        let rig = Rig()
        let device = rig.port.makeDevice()
        let handle = try rig.ops.associate(device)
        let (first, second) = (try rig.read(handle), try rig.read(handle))
        rig.loop.turn(.until(rig.port.clock.now.advanced(by: 1_000_000_000)))
        #expect(rig.port.parkedCount(device) == 2)
        #expect(rig.port.complete(device, SimulatedStatus.deviceError.completion(), position: 1))
        #expect(try rig.finish(second).completion.error == SimulatedStatus.deviceError.error)
        #expect(rig.port.complete(device, bytes: bytes("by hand")))
        #expect(try rig.finish(first).bytes == bytes("by hand"))
        rig.end(device)
    }

    @Test("An adapter's own call owes a packet for zero, pending and warnings, and none for an error") func nativeCalls() throws {
        let rig = Rig()
        let device = rig.port.makeDevice()
        let handle = try rig.ops.associate(device)
        var ended = 0
        for code in [SystemCode.none, .simulatedPending, SimulatedStatus.moreData.error] {
            try rig.ops.perform(on: handle, capacity: 4) { op in
                unsafe op.submit { block, buffer in unsafe rig.port.startNative(on: device, block, buffer, answering: code) }
            } completed: { id, _ in
                ended += 1
                try? rig.ops.free(id)
            }
        }
        rig.loop.turn(.poll)
        #expect(ended == 2)
        #expect(rig.port.complete(device, bytes: bytes("abcd")))
        rig.loop.turn(.poll)
        #expect(ended == 3)
        #expect(throws: OperationError.refused(SimulatedStatus.deviceError.error)) {
            try rig.ops.perform(on: handle, capacity: 4) { op in
                let code = SimulatedStatus.deviceError.error
                return unsafe op.submit { block, buffer in unsafe rig.port.startNative(on: device, block, buffer, answering: code) }
            } completed: { _, _ in
            }
        }
        rig.end(device)
    }

    @Test("A wait jumps to the next thing that happens, to the nanosecond") func jumps() throws {
        let rig = Rig()
        let begin = rig.port.clock.now
        var fired: MonotonicInstant?
        rig.ops.call(after: .nanoseconds(1_234_567)) { fired = rig.port.clock.now }
        rig.turn { fired != nil }
        #expect(fired == begin.advanced(by: 1_234_567))
        rig.end()
    }

    @Test("A loop that could wait for ever asks what to do about it") func idle() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream()
        let id = try rig.read(handle)
        var asked = 0
        rig.port.whenIdle { [port = rig.port] in
            asked += 1
            return port.feed(far, bytes("a")) == 1 ? .lookAgain : .returnEarly
        }
        rig.loop.turn()
        #expect(asked == 1)
        #expect(try rig.finish(id).bytes == bytes("a"))
        rig.end(near, far)
    }

    @Test("A loop that could wait for ever ends the process otherwise, with a sentence") func deadlock() async {
        await #expect(processExitsWith: .failure) {
            let port = SimulatedPort()
            EventLoop(port: port).turn()
        }
    }

    @Test("The same seed and calls give the same packets, and another seed others") func determinism() throws {
        func trace(_ seed: UInt64) throws -> String {
            let port = SimulatedPort(seed: seed, faults: .drawn(from: 7))
            port.faults.getsStuck = .never
            port.faults.refusesOperations = .never
            port.faults.refusesAssociations = .never
            let recorder = TraceRecorder(port)
            let loop = EventLoop(port: recorder)
            let ops = loop.operationsOnThisThread()
            let (near, far) = port.makeStreamPair()
            let handle = try ops.associate(near)
            for number in 0..<50 {
                _ = port.feed(far, [UInt8(number), 1, 2])
                try ops.perform(on: handle, capacity: 2, timeout: .milliseconds(1)) {
                    $0.read()
                } completed: { id, _ in
                    try? ops.free(id)
                }
                loop.turn(.until(port.clock.now.advanced(by: 50_000)))
            }
            loop.shutdown()
            return recorder.trace.text
        }
        #expect(try trace(1) == trace(1))
        #expect(try trace(1) != trace(2))
    }
}
