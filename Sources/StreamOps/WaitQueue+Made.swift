package import LoopCore

extension WaitQueue? {
    /// The queue, made by the first who has to wait in it: in most streams nobody ever does.
    package mutating func made(by operations: Operations) -> WaitQueue {
        if let queue = self { return queue }
        let queue = operations.makeWaitQueue()
        self = queue
        return queue
    }
}
