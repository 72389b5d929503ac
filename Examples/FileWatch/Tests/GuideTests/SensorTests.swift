import LoopCore
import LoopSim
import Testing

@Suite("The guide's sensor") struct SensorTests {
    // example: SensorTest
    @Test("A measurement that is late is a timeout, and the next one is as good as ever")
    func late() throws {
        let port = SimulatedPort()
        let loop = EventLoop(port: CheckedPort(port))
        let device = port.makeDevice()
        try loop.run { loop in
            let sensor = Sensor(device, on: loop)
            try await sensor.open()
            await #expect(throws: SensorError.timedOut) { try await sensor.measure(timeout: .seconds(5)) }
            port.after(1_000_000) { port.complete(device, bytes: [0x12, 0x34]) }
            #expect(try await sensor.measure(timeout: .seconds(5)) == 0x1234)
            await sensor.close()
            port.close(device)
        }
        #expect(loop.shutdown().isClean)
        #expect(port.openHandleCount == 0)
    }
    // example end

    // example: SensorFaults
    @Test("Whatever the driver does, a measurement is right or the error says why not", arguments: 0..<200)
    func faults(seed: UInt64) throws {
        let port = SimulatedPort(seed: seed)
        let loop = EventLoop(port: CheckedPort(port))
        let (near, far) = port.makeStreamPair()
        try loop.run { loop in
            let sensor = Sensor(near, on: loop)
            try await sensor.open()
            port.faults = .drawn(from: seed)
            for _ in 0..<20 {
                _ = port.feed(far, [0x12, 0x34])
                do {
                    let measurement = try await sensor.measure(timeout: .microseconds(100))
                    #expect(measurement == 0x1234 || measurement == 0x3412)
                } catch is SensorError {}
            }
            port.faults = .none
            port.abortEverything()  // as a reset of the bus would: what is stuck comes home
            _ = try? await sensor.measure(timeout: .seconds(1))
            await sensor.close()
            for handle in [near, far] { port.close(handle) }
        }
        #expect(loop.shutdown().isClean)
        #expect(port.openHandleCount == 0)
    }
    // example end

    @Test("A task that is cancelled has its answer at once") func cancelled() throws {
        let port = SimulatedPort()
        let loop = EventLoop(port: CheckedPort(port))
        let device = port.makeDevice()
        try loop.run { loop in
            let sensor = Sensor(device, on: loop)
            try await sensor.open()
            let waiting = Task(executorPreference: loop) { try await sensor.measure(timeout: .seconds(5)) }
            await Task.yield()
            waiting.cancel()
            await #expect(throws: SensorError.cancelled) { try await waiting.value }
            await sensor.close()
            await #expect(throws: SensorError.closed) { try await sensor.measure(timeout: .seconds(5)) }
            port.close(device)
        }
        #expect(loop.shutdown().isClean)
    }
}
