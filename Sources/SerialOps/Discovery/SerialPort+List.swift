public import LoopCore
import _Concurrency

extension SerialPort {
    /// The serial ports of this machine, in the order of their names. None is opened for it: that would reset many a board.
    ///
    /// ```swift
    /// let boards = try await SerialPort.list(on: loop).filter { $0.vendorID == 0x0403 }
    /// ```
    public static func list(
        on loop: EventLoop, timeout: Duration = .seconds(5)
    ) async throws(SerialError) -> [SerialPortInfo] {
        try await list(NativeSerialPortSource(), on: loop, timeout: timeout)
    }

    /// The ports that a source has.
    package static func list(
        _ source: any SerialPortSource, on loop: EventLoop, timeout: Duration?
    ) async throws(SerialError) -> [SerialPortInfo] {
        do throws(OffloadError<SerialError>) {
            return try await loop.offload(name: "list serial ports", timeout: timeout) { () throws(SerialError) in try source.ports() }
        } catch {
            throw SerialError(error, .list)
        }
    }
}
