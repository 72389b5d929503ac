public import LoopCore
import _Concurrency

extension SerialPort {
    /// Opens a port and sets it, on a helper thread: both may take a driver seconds. When the time is up, or the task is cancelled, what
    /// comes of it later is closed again.
    ///
    /// ```swift
    /// let port = try await SerialPort.open("COM5", SerialSettings(baud: 9_600), on: loop)
    /// ```
    public static func open(
        _ path: SerialText, _ settings: SerialSettings = SerialSettings(), on loop: EventLoop, timeout: Duration = .seconds(5)
    ) async throws(SerialError) -> SerialPort {
        if NativeSerialDevice.opensAtOnce(path) {
            return try await open(try NativeSerialDevice.open(path, settings), path, settings, on: loop)
        }
        let device = try await open(on: loop, timeout) { () throws(SerialError) in try NativeSerialDevice.open(path, settings) }
        return try await open(device, path, settings, on: loop)
    }

    /// Opens a device on a helper thread. One that comes when nobody waits for it any more is dropped there, and closes with that.
    package static func open(
        on loop: EventLoop, _ timeout: Duration, _ opening: @escaping @Sendable () throws(SerialError) -> any SerialDevice
    ) async throws(SerialError) -> any SerialDevice {
        do throws(OffloadError<SerialError>) {
            return try await loop.offload(name: "open a serial port", timeout: timeout, opening)
        } catch {
            throw SerialError(error, .open)
        }
    }

    /// A port of a device that is open and set.
    package static func open(
        _ device: any SerialDevice, _ path: SerialText, _ settings: SerialSettings, on loop: isolated EventLoop
    ) async throws(SerialError) -> SerialPort {
        do throws(SerialError) {
            return try SerialPort(device, path: path, settings, on: loop)
        } catch {
            device.close()
            throw error
        }
    }
}
