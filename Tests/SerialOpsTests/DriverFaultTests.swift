import Glibc
import LoopCore
import LoopSim
import Testing

@testable import SerialOps

/// What drivers do wrong, one by one, in virtual time: every call ends within its time and the grace.
@Suite("Faults of drivers") struct DriverFaultTests {
    /// What a call may take beyond its own time: the grace after the cancel, and the simulator's delays.
    private static let slack = Duration.nanoseconds(Limits().cancelGraceNanoseconds) + .milliseconds(20)

    @Test("A read that never completes and ignores its cancel: reads time out, closing is bounded and says what was left")
    func stuckRead() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let (near, far) = simulation.port.makeStreamPair()
            simulation.port.faults.getsStuck = .always
            let port = try await SerialPort.open(SimulatedDevice(simulation.port, near), "sim", SerialSettings(), on: loop)
            _ = simulation.port.feed(far, [1, 2, 3])
            let (read, took) = await simulation.timed { () async throws(SerialError) in try await port.read(timeout: .seconds(1)) }
            #expect(read == .failure(.timedOut(.read, moved: 0)))
            #expect(took >= .seconds(1) && took < .seconds(1) + Self.slack)
            let began = simulation.port.clock.now
            let report = await port.close()
            #expect(report.operationsLeft > 0)
            #expect(simulation.port.clock.now.nanoseconds(since: began) < Self.slack.nanoseconds)
            simulation.port.releaseStuck()
        }
    }

    @Test("A read's time is up when it said, also between bytes, while nobody else has anything to do") func exactTimes() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let (near, far) = simulation.port.makeStreamPair()
            let port = try await SerialPort.open(SimulatedDevice(simulation.port, near), "sim", SerialSettings(), on: loop)
            let (read, took) = await simulation.timed { () async throws(SerialError) in
                try await port.read(timeout: .milliseconds(500))
            }
            #expect(read == .failure(.timedOut(.read, moved: 0)))
            #expect(took == .milliseconds(500))
            let (lent, lentFor) = await simulation.timed { () async throws(SerialError) in
                try await port.read(timeout: .milliseconds(400)) { bytes, taken in taken = bytes.byteCount }
            }
            #expect(lent.failure == .timedOut(.read, moved: 0))
            #expect(lentFor == .milliseconds(400))
            _ = simulation.port.feed(far, [1])
            try await loop.sleep(for: .milliseconds(50))
            let (all, allTook) = await simulation.timed { () async throws(SerialError) in
                try await port.readExactly(2, timeout: .milliseconds(500), interByte: .milliseconds(100))
            }
            #expect(all == .failure(.timedOut(.read, moved: 1)))
            #expect(allTook == .milliseconds(100))
            await port.close()
        }
    }

    @Test("A write that never completes: it times out, with what had left, and closing is bounded") func stuckWrite() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let port = try await SerialPort.open(
                SimulatedDevice(simulation.port, simulation.port.makeDevice()), "sim", SerialSettings(), on: loop)
            let (write, took) = await simulation.timed { () async throws(SerialError) in
                try await port.write([1, 2, 3], timeout: .milliseconds(500))
            }
            #expect(write.failure == .timedOut(.write, moved: 0))
            #expect(took < .milliseconds(500) + Self.slack)
            simulation.port.faults.getsStuck = .always
            let (stuck, again) = await simulation.timed { () async throws(SerialError) in
                try await port.write([1, 2, 3], timeout: .milliseconds(500))
            }
            #expect(stuck.failure == .stuck(.write))
            #expect(again < .milliseconds(500) + Self.slack)
            await port.close()
            simulation.port.releaseStuck()
        }
    }

    @Test("Cancels that the driver refuses: a timeout still ends the call") func refusedCancels() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            simulation.port.faults.refusesCancels = .always
            let port = try await SerialPort.open(
                SimulatedDevice(simulation.port, simulation.port.makeDevice()), "sim", SerialSettings(), on: loop)
            let (write, took) = await simulation.timed { () async throws(SerialError) in
                try await port.write([1], timeout: .milliseconds(100))
            }
            #expect(write.failure == .stuck(.write))
            #expect(took < .milliseconds(100) + Self.slack)
            let (_, closing) = await simulation.timed { () async throws(SerialError) in await port.close() }
            #expect(closing < Self.slack)
            simulation.port.abortEverything()
        }
    }

    @Test("Reads that complete with nothing are made again, without a spin, and lose nothing", arguments: [true, false])
    func emptyReads(asTimeouts: Bool) throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let (near, far) = simulation.port.makeStreamPair()
            if asTimeouts { simulation.port.faults.timeoutStatuses = .always } else { simulation.port.faults.emptyReads = .always }
            let port = try await SerialPort.open(SimulatedDevice(simulation.port, near), "sim", SerialSettings(), on: loop)
            let (read, took) = await simulation.timed { () async throws(SerialError) in try await port.read(timeout: .seconds(1)) }
            #expect(read == .failure(.timedOut(.read, moved: 0)))
            #expect(took < .seconds(1) + Self.slack)
            // Once a millisecond, after the first few.
            let empty = await port.statistics.emptyReads
            #expect(empty > 8 && empty < 1_200)
            simulation.port.faults = .none
            _ = simulation.port.feed(far, [7, 8])
            #expect(try await port.readExactly(2, timeout: .seconds(1)) == [7, 8])
            await port.close()
        }
    }

    @Test("Unplugged: every kind of call that waits ends at once") func unplugged() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let device = SimulatedDevice(simulation.port, simulation.port.makeDevice())
            device.change { $0.waiting = 100 }
            let port = try await SerialPort.open(device, "sim", SerialSettings(), on: loop)
            let read = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.read() } }
            let line = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.readLine() } }
            let write = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.write([1]) } }
            let drain = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.drain() } }
            let event = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.events().next() } }
            try await loop.sleep(for: .milliseconds(50))
            device.change { $0.failure = .disconnected }
            let gone = Completion(count: 0, error: SimulatedDevice.unplugged, status: RawStatus(rawValue: 0xC000_02B6), severity: .error)
            while simulation.port.complete(device.handle, gone) {}
            let began = simulation.port.clock.now
            #expect(await read.value == .failure(.disconnected))
            #expect(await line.value == .failure(.disconnected))
            #expect(await write.value.failure == .disconnected)
            #expect(await drain.value.failure == .disconnected)
            #expect(await event.value.failure == .disconnected)
            #expect(simulation.port.clock.now.nanoseconds(since: began) < Duration.milliseconds(100).nanoseconds)
            #expect(await result { () async throws(SerialError) in try await port.write([1]) }.failure == .disconnected)
            #expect(await port.close().isClean)
            #expect(device.isClosing)
        }
    }

    @Test("Closed in the middle of everything: every call ends at once and says so") func closedInTheMiddle() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let device = SimulatedDevice(simulation.port, simulation.port.makeDevice(), eventStyle: .waits)
            device.change { $0.waiting = 100 }
            let port = try await SerialPort.open(device, "sim", SerialSettings(), on: loop)
            let read = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.read() } }
            let write = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.write([1]) } }
            let next = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.write([2]) } }
            let drain = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.drain() } }
            let event = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.events().next() } }
            try await loop.sleep(for: .milliseconds(50))
            #expect(await port.close().isClean)
            #expect(await read.value == .failure(.closed))
            #expect(await write.value.failure == .closed)
            #expect(await next.value.failure == .closed)
            #expect(await drain.value.failure == .closed)
            #expect(await event.value == .success(nil))
            #expect(device.isClosed)
        }
    }

    @Test("An event that is there at once is not missed, and its packet is not skipped") func immediateEvent() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let device = SimulatedDevice(simulation.port, simulation.port.makeDevice(), eventStyle: .waits)
            let port = try await SerialPort.open(device, "sim", SerialSettings(), on: loop)
            let events = port.events()
            for line: UInt8 in [1, 2, 4, 8] {
                device.change { $0.immediateEvent = line }
                #expect(try await events.next(timeout: .seconds(1)) == .linesChanged(ModemLines(rawValue: line), now: []))
            }
            await #expect(throws: SerialError.timedOut(.events, moved: 0)) { try await events.next(timeout: .milliseconds(10)) }
            await port.close()
        }
    }

    @Test("An event that comes later is the packet's, and so is one whose wait was given up: the next listener gets it")
    func laterEvent() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let device = SimulatedDevice(simulation.port, simulation.port.makeDevice(), eventStyle: .waits)
            let port = try await SerialPort.open(device, "sim", SerialSettings(), on: loop)
            let events = port.events()
            let listener = loop.spawn { _ async in await result { () async throws(SerialError) in try await events.next() } }
            try await loop.sleep(for: .milliseconds(5))
            // Behind the standing read.
            let told = Completion(count: 4, error: .none, status: RawStatus(rawValue: 0), severity: .success)
            #expect(simulation.port.complete(device.handle, told, bytes: [2, 0, 0, 0], position: 1))
            #expect(await listener.value == .success(.linesChanged(.dsr, now: [])))
            let leaving = loop.spawn { _ async in await result { () async throws(SerialError) in try await events.next() } }
            try await loop.sleep(for: .milliseconds(5))
            leaving.cancel()
            #expect(await leaving.value == .failure(.cancelled(.events, moved: 0)))
            device.change { $0.immediateEvent = 1 }
            #expect(try await port.events().next(timeout: .seconds(1)) == .linesChanged(.cts, now: []))
            await port.close()
        }
    }

    @Test("Two listeners: the driver is asked by one at a time, and each event goes to one of them") func twoListeners() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let device = SimulatedDevice(simulation.port, simulation.port.makeDevice(), eventStyle: .waits)
            let port = try await SerialPort.open(device, "sim", SerialSettings(), on: loop)
            let listeners = (0..<2).map { _ in
                loop.spawn { _ async in await result { () async throws(SerialError) in try await port.events().next() } }
            }
            let told = Completion(count: 4, error: .none, status: RawStatus(rawValue: 0), severity: .success)
            for (place, listener) in listeners.enumerated() {
                try await loop.sleep(for: .milliseconds(5))
                // The standing read, and one wait.
                #expect(simulation.port.parkedCount(device.handle) == 2)
                #expect(simulation.port.complete(device.handle, told, bytes: [UInt8(1 << place), 0, 0, 0], position: 1))
                #expect(await listener.value == .success(.linesChanged(ModemLines(rawValue: UInt8(1 << place)), now: [])))
            }
            await #expect(throws: SerialError.timedOut(.events, moved: 0)) { try await port.events().next(timeout: .milliseconds(10)) }
            await port.close()
        }
    }

    @Test("What is counted before anybody listens is told to the first who does, and once") func countedBefore() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let device = SimulatedDevice(simulation.port, simulation.port.makeDevice())
            device.change { $0.countedAtOpening = $0.counters }
            let port = try await SerialPort.open(device, "sim", SerialSettings(), on: loop)
            let events = port.events()
            device.change { state in
                state.counters.breaks &+= 2
                state.counters.cts &+= 1
                state.lines = [.cts]
            }
            #expect(try await events.next(timeout: .seconds(1)) == .linesChanged(.cts, now: [.cts]))
            #expect(try await events.next(timeout: .seconds(1)) == .breakReceived)
            #expect(try await events.next(timeout: .seconds(1)) == .breakReceived)
            let silence = SerialError.timedOut(.events, moved: 0)
            await #expect(throws: silence) { try await events.next(timeout: .milliseconds(100)) }
            await #expect(throws: silence) { try await port.events().next(timeout: .milliseconds(100)) }
            // A line whose changes the driver does not count.
            device.change { $0.lines = [.cts, .cd] }
            #expect(try await port.events().next(timeout: .seconds(1)) == .linesChanged(.cd, now: [.cts, .cd]))
            // A driver that still counts when its device is gone: the lines have not dropped.
            device.change { $0.failureOfLines = .disconnected }
            await #expect(throws: SerialError.disconnected) { try await events.next(timeout: .seconds(1)) }
            await port.close()
        }
    }

    @Test("A read that somebody else ends is made again: what the driver may have dropped is an event and a number")
    func possiblyLost() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let device = SimulatedDevice(simulation.port, simulation.port.makeDevice(), eventStyle: .waits)
            let port = try await SerialPort.open(device, "sim", SerialSettings(), on: loop)
            let reader = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.readExactly(3) } }
            try await loop.sleep(for: .milliseconds(1))
            #expect(simulation.port.complete(device.handle, bytes: [1]))
            try await loop.sleep(for: .milliseconds(1))
            for count in [5, 0] {
                let purged = Completion(
                    count: count, error: SystemCode(rawValue: 995), status: RawStatus(rawValue: 0xC000_0120), severity: .aborted)
                #expect(simulation.port.complete(device.handle, purged))
                try await loop.sleep(for: .milliseconds(1))
            }
            #expect(simulation.port.complete(device.handle, bytes: [2, 3]))
            #expect(await reader.value == .success([1, 2, 3]))
            #expect(await port.statistics.possiblyLost == 5)
            #expect(try await port.events().next(timeout: .seconds(1)) == .possiblyLost(5))
            #expect(await port.ending == nil)
            await port.close()
        }
    }

    @Test("A driver that takes seconds to answer a control call holds up nobody beyond the call's time") func slowControl() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let (near, far) = simulation.port.makeStreamPair()
            let port = try await SerialPort.open(SimulatedDevice(simulation.port, near), "sim", SerialSettings(), on: loop)
            simulation.port.simulatedSystem.threads.delayNanoseconds = 5_000_000_000
            let (lines, took) = await simulation.timed { () async throws(SerialError) in try await port.lines(timeout: .seconds(1)) }
            #expect(lines.failure == .timedOut(.lines, moved: 0))
            #expect(took < .seconds(1) + Self.slack)
            _ = simulation.port.feed(far, [9])
            #expect(try await port.read(timeout: .seconds(1)) == [9])
            let report = await port.close()
            #expect(report.isHandleLeft)
        }
    }

    @Test("An opening that stalls ends at its time, and what comes of it later is closed again") func slowOpening() throws {
        let simulated = SimulatedPort(seed: 1, faults: .none)
        try onLoop { loop in
            let (goesOn, closed) = (Flag(), Flag())
            let opened = await result { () async throws(SerialError) in
                try await SerialPort.open(on: loop, .milliseconds(50)) {
                    while !goesOn.isRaised { sched_yield() }
                    return SimulatedDevice(simulated, NativeHandle(rawValue: 0), closed: closed)
                }
            }
            #expect(opened.failure == .timedOut(.open, moved: 0))
            #expect(!closed.isRaised)
            goesOn.raise()
            while !closed.isRaised { try await loop.sleep(for: .milliseconds(1)) }
        }
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}

extension Duration {
    var nanoseconds: UInt64 { UInt64(components.seconds) * 1_000_000_000 + UInt64(components.attoseconds / 1_000_000_000) }
}
