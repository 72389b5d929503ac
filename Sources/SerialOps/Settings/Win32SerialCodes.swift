import LoopCore

// What a code of Windows means for a serial port. winerror.h has the numbers, docs/Serial.md the table, and a test compares the two. It
// runs everywhere: nothing here calls Windows.

/// What to make of the codes that calls of a port return.
package enum Win32SerialCodes {
    /// `CreateFile` said so.
    package static func opening(_ code: UInt32, _ path: SerialText) -> SerialError {
        if missing.contains(code) { return .notFound(path) }
        if taken.contains(code) { return .busy(PortHolder(path: path)) }
        return control(code, .open)
    }

    /// `GetCommState` said so of what had just been opened.
    package static func asking(_ code: UInt32, _ path: SerialText) -> SerialError {
        strangers.contains(code) ? .notASerialPort(path) : control(code, .open)
    }

    /// A call on an open port said so.
    package static func control(_ code: UInt32, _ call: SerialCall) -> SerialError {
        switch call {
        case .configure where code == invalidParameter: .unsupportedConfiguration(.baud, got: nil)
        case .lines where refusals.contains(code), .events where refusals.contains(code): .unsupportedConfiguration(.lines, got: nil)
        case _ where isGone(code): .disconnected
        default: .system(call, SystemCode(rawValue: Int32(bitPattern: code)))
        }
    }

    /// Whether a driver says with this that its device is gone. There are many words for it: each driver has its own.
    package static func isGone(_ code: UInt32) -> Bool { gone.contains(code) }

    /// ERROR_FILE_NOT_FOUND, PATH_NOT_FOUND, INVALID_NAME, BAD_PATHNAME.
    package static let missing: [UInt32] = [2, 3, 123, 161]

    /// ERROR_ACCESS_DENIED, which is what Windows says of a port that is open elsewhere, SHARING_VIOLATION, BUSY.
    package static let taken: [UInt32] = [5, 32, 170]

    /// ERROR_FILE_NOT_FOUND, ACCESS_DENIED, INVALID_HANDLE, NOT_READY, BAD_COMMAND, GEN_FAILURE, DEV_NOT_EXIST, BROKEN_PIPE,
    /// NO_SUCH_DEVICE, DEVICE_NOT_CONNECTED, DEVICE_REMOVED.
    ///
    /// The handle is the port's own and open, so INVALID_HANDLE is the driver's word. ACCESS_DENIED is that of drivers of USB adapters for
    /// an adapter that was pulled, BROKEN_PIPE and NOT_READY are Wine's for a terminal that was hung up.
    package static let gone: [UInt32] = [2, 5, 6, 21, 22, 31, 55, 109, 433, 1167, 1617]

    /// ERROR_INVALID_FUNCTION, NOT_SUPPORTED, CALL_NOT_IMPLEMENTED: a driver without modem lines.
    package static let refusals: [UInt32] = [1, 50, 120]

    /// ERROR_INVALID_FUNCTION, INVALID_HANDLE, NOT_SUPPORTED, INVALID_PARAMETER, CALL_NOT_IMPLEMENTED: what a device that is no port
    /// says to questions about ports.
    package static let strangers: [UInt32] = [1, 6, 50, 87, 120]

    /// ERROR_INVALID_PARAMETER: of the settings that are written together it is the speed that drivers differ in.
    package static let invalidParameter: UInt32 = 87
}
