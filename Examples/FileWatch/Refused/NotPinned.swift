import LoopCore

// example: NotPinned
actor Sensor {
    private let loop: EventLoop
    private lazy var operations = loop.operations(for: self)  // error: requires that 'Sensor' conform to 'OnLoop'
    // example end

    init(on loop: EventLoop) { self.loop = loop }
}
