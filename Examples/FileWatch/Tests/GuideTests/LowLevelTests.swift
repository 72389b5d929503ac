import LoopCore
import LoopSim
import Testing

@Suite("The guide's low level") struct LowLevelTests {
    @Test(
        "An operation by id: prepared, submitted or abandoned, and taken",
        arguments: [SystemCode.simulatedPending, SystemCode(rawValue: 5)])
    func byID(code: SystemCode) throws {
        let port = SimulatedPort()
        let loop = EventLoop(port: port)
        let operations = loop.operationsOnThisThread()
        let device = port.makeDevice()
        let handle = try operations.associate(device)
        var found: [UInt8] = []

        // example: LowLevel
        // SAFETY: the call is given this operation's memory, and what its code means is reported.
        let memory = unsafe try operations.prepare(handle, capacity: 64)
        let id = unsafe memory.id
        switch unsafe port.startNative(on: device, memory.controlBlock, memory.buffer, answering: code) {
        case 0, 997, 234:
            unsafe try operations.submitted(id)
            try operations.onCompletion(id, timeout: .seconds(5)) { id, end in
                if end == .finished { found = (try? operations.result(id))?.copyBytes() ?? [] }
            }
        default:
            unsafe try operations.abandon(id)
        }
        // example end

        port.complete(device, bytes: [1, 2, 3])
        loop.turn(.poll)
        #expect(found == (code == .simulatedPending ? [1, 2, 3] : []))
        #expect(loop.shutdown().isClean)
        port.close(device)
    }
}
