import LoopCore
import LoopSim

@testable import FileWatch

/// A directory as Linux has it, in the simulator: each message that is fed to the far end is one read's records.
final class AttemptSource: ChangeSource {
    let handle: NativeHandle
    let readBytesMax = 4096
    private let port: SimulatedPort

    init(_ port: SimulatedPort, _ handle: NativeHandle) {
        self.port = port
        self.handle = handle
    }

    func read(_ op: consuming PreparedOp) -> Decision {
        op.attempt(.read) { [port] handle, buffer in
            guard let bytes = port.drain(handle, max: buffer.byteCount) else { return .wouldBlock(.read) }
            for (place, byte) in bytes.enumerated() { buffer.storeBytes(of: byte, toByteOffset: place, as: UInt8.self) }
            return .done(count: bytes.count)
        }
    }

    func forEachChange(_ completion: Completion, _ bytes: RawSpan, _ visit: (Change) -> Void) {
        if completion.error != .none { return visit(.failed(completion.error)) }
        InotifyRecords.forEachChange(in: bytes, visit)
    }

    func ending(after code: SystemCode) -> WatchEnding? { nil }

    func endingAfterLoss() -> WatchEnding? { nil }

    func close() { port.close(handle) }
}

/// A directory as Windows has it, in the simulator: each read waits at a device until the test completes it by hand.
final class SubmitSource: ChangeSource {
    let handle: NativeHandle
    let readBytesMax = 4096
    private let port: SimulatedPort

    init(_ port: SimulatedPort, _ handle: NativeHandle) {
        self.port = port
        self.handle = handle
    }

    // SAFETY: the device is given the memory that the seam lends for this call, and nothing else.
    func read(_ op: consuming PreparedOp) -> Decision {
        unsafe op.submit { block, buffer in unsafe port.startNative(on: handle, block, buffer) }
    }

    func forEachChange(_ completion: Completion, _ bytes: RawSpan, _ visit: (Change) -> Void) {
        if completion.error != .none { return visit(.failed(completion.error)) }
        NotifyInformation.forEachChange(in: bytes, visit)
    }

    /// ERROR_ACCESS_DENIED: what Windows says of a directory that is deleted while it is watched.
    func ending(after code: SystemCode) -> WatchEnding? { code.rawValue == 5 ? .deleted : nil }

    func endingAfterLoss() -> WatchEnding? { nil }

    func close() { port.close(handle) }
}
