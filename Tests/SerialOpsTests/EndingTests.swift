import LoopCore
import LoopSim
import Testing

@testable import SerialOps

/// What somebody does with a port when it ends.
enum PortUse: CaseIterable, Sendable {
    case nothing
    case reading
    case readingLine
    case writing
    /// Behind somebody else's write.
    case queueing
    case draining
    /// Where the driver says when it is done, which it never does.
    case flushing
    /// Where the driver counts.
    case askingForEvents
    /// Where the driver tells.
    case waitingForEvents

    var drainStyle: DrainStyle { self == .flushing ? .blocks : .asks }
    var eventStyle: EventStyle { self == .waitingForEvents ? .waits : .counts }

    /// What it is told where the driver does not let go of what it has; nil where that has nothing.
    var whenStuck: SerialError? {
        switch self {
        case .nothing: nil
        case .writing: .stuck(.write)
        case .waitingForEvents: .stuck(.events)
        default: .closed
        }
    }

    /// More than any driver has room for, while nobody reads at the other end.
    private static let long = [UInt8](repeating: 1, count: 100_000)

    func use(_ port: SerialPort) async throws(SerialError) {
        switch self {
        case .nothing: break
        case .reading: _ = try await port.read()
        case .readingLine: _ = try await port.readLine()
        case .writing: try await port.write(PortUse.long)
        case .queueing:
            let first = port.loop.spawn { _ async in await result { () async throws(SerialError) in try await port.write(PortUse.long) } }
            while !(await port.isInUse) { await Task.yield() }
            try await port.write([2])
            _ = await first.value
        case .draining, .flushing: try await port.drain()
        case .askingForEvents, .waitingForEvents: if try await port.events().next() == nil { throw .closed }
        }
    }
}

/// Ports end in each state that a port can be in: whoever waits is told why, the system has everything back, and nobody else ends it again.
@Suite("The end of a port") struct EndingTests {
    @Test("Closed, by a simulated driver that is healthy", arguments: PortUse.allCases) func closed(use: PortUse) throws {
        try simulated(use) { simulation, device, port, user in
            let (report, took) = await simulation.timed { () async throws(SerialError) in await port.close() }
            #expect(report == .success(CloseReport(operationsLeft: 0, isHandleLeft: false)))
            // No timer has to run out for that: not the grace of a cancel, and not the bound of a close.
            #expect(took < .milliseconds(50))
            #expect(await user.value.failure == (use == .nothing ? nil : .closed))
            #expect(await port.ending == .closed)
        }
    }

    @Test("Unplugged from a simulated driver", arguments: PortUse.allCases) func unplugged(use: PortUse) throws {
        try simulated(use) { simulation, device, port, user in
            device.change { $0.failure = .disconnected }
            let gone = Completion(count: 0, error: SimulatedDevice.unplugged, status: RawStatus(rawValue: 0xC000_02B6), severity: .error)
            while simulation.port.complete(device.handle, gone) {}
            #expect(await user.value.failure == (use == .nothing ? nil : .disconnected))
            while await port.ending == nil { await Task.yield() }
            #expect(await port.ending == .disconnected)
            #expect(await port.close().isClean)
        }
    }

    @Test("Dropped by a simulated driver that answers no cancel: the end is bounded and counted", arguments: PortUse.allCases)
    func stuck(use: PortUse) throws {
        try simulated(use) { simulation, device, port, user in
            simulation.port.faults.refusesCancels = .always
            let (report, took) = await simulation.timed { () async throws(SerialError) in await port.close() }
            guard case .success(let report) = report else { return #expect(Bool(false), "\(report)") }
            #expect(report.operationsLeft > 0)
            #expect(took <= .nanoseconds(Limits().cancelGraceNanoseconds) + .milliseconds(50))
            #expect(await user.value.failure == use.whenStuck)
            simulation.port.abortEverything()
        }
    }

    private func simulated(
        _ use: PortUse,
        _ body: @escaping @Sendable (Simulation, SimulatedDevice, SerialPort, Fiber<Result<Void, SerialError>, Never>) async throws -> Void
    ) throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let device = SimulatedDevice(
                simulation.port, simulation.port.makeDevice(), drainStyle: use.drainStyle, eventStyle: use.eventStyle)
            device.change { $0.waiting = 100 }
            let port = try await SerialPort.open(device, "sim", SerialSettings(), on: loop)
            if use == .flushing { simulation.port.simulatedSystem.threads.delayNanoseconds = 3_600_000_000_000 }
            let user = loop.spawn { _ async in await result { () async throws(SerialError) in try await use.use(port) } }
            try await loop.sleep(for: .milliseconds(30))
            // The flush has its thread for good; a close has another.
            simulation.port.simulatedSystem.threads.delayNanoseconds = 1_000_000
            try await body(simulation, device, port, user)
            try await loop.sleep(for: .milliseconds(10))
            #expect(device.isClosing && device.isClosed)
            #expect(loop.metrics.operations.submitted == 0)
        }
    }

    // MARK: pseudo terminals

    /// A pseudo terminal has neither lines nor anything to drain.
    private static let ofTerminals: [PortUse] = [.nothing, .reading, .readingLine, .writing, .queueing]

    @Test("Closed, by a pseudo terminal", arguments: ofTerminals) func terminalClosed(use: PortUse) throws {
        try onTerminal(use) { loop, pty, port, user in
            #expect(await port.close().isClean)
            #expect(await user.value.failure == (use == .nothing ? nil : .closed))
            // It is free again.
            await (try await SerialPort.open(pty.path, on: port.loop)).close()
        }
    }

    @Test("Hung up, by a pseudo terminal", arguments: ofTerminals) func terminalHungUp(use: PortUse) throws {
        try onTerminal(use) { loop, pty, port, user in
            pty.close()
            #expect(await user.value.failure == (use == .nothing ? nil : .disconnected))
            while await port.ending == nil { await Task.yield() }
            #expect(await port.ending == .disconnected)
            #expect(await port.close().isClean)
            let turns = loop.metrics.port.kernelWaits
            // A dead descriptor is no reason to wake.
            try await loop.sleep(for: .milliseconds(20))
            #expect(loop.metrics.port.kernelWaits - turns <= 2)
        }
    }

    private func onTerminal(
        _ use: PortUse,
        _ body: @escaping @Sendable (isolated EventLoop, Pty, SerialPort, Fiber<Result<Void, SerialError>, Never>) async throws -> Void
    ) throws {
        let pty = try Pty()
        try onLoop { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            let user = loop.spawn { _ async in await result { () async throws(SerialError) in try await use.use(port) } }
            while use != .nothing, !(await port.isInUse) { await Task.yield() }
            try await body(loop, pty, port, user)
            #expect(loop.metrics.operations.submitted == 0)
        }
    }
}

extension SerialPort {
    /// Whether somebody has a turn.
    var isInUse: Bool { !stream.readTurn.isFree || !stream.writeTurn.isFree }
}
