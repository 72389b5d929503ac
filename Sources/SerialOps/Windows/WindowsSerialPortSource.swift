#if PORTLOOP_WINDOWS
internal import LoopCore

typealias NativeSerialPortSource = WindowsSerialPortSource

// TODO(port): the list of Windows, from SetupAPI and the registry, and its news from CM_Register_Notification.

/// The ports of Windows. Neither their list nor their news are there yet, and whoever asks is told so.
final class WindowsSerialPortSource: SerialPortSource {
    func ports() throws(SerialError) -> [SerialPortInfo] { throw .system(.list, WindowsSerialPortSource.notSupported) }

    func port(at path: SerialText) -> SerialPortInfo? { nil }

    func listen() throws(SerialError) -> any SerialPortNews { throw .system(.watch, WindowsSerialPortSource.notSupported) }

    /// ERROR_NOT_SUPPORTED.
    private static let notSupported = SystemCode(rawValue: 50)
}
#endif
