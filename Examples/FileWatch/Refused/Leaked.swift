import LoopCore

// example: Leaked
actor Sensor: OnLoop {
    nonisolated let loop: EventLoop
    private(set) lazy var operations = loop.operations(for: self)
    // example end

    init(on loop: EventLoop) { self.loop = loop }
}

// example: LeakedUse
@MainActor func count(_ sensor: Sensor) async -> UInt64 {
    await sensor.operations.metrics.jobs  // error: non-Sendable type 'Operations' of property 'operations' cannot exit
}
// example end
