#if PORTLOOP_WINDOWS
import CLoopWin32
import LoopCore

typealias NativeSerialPortSource = WindowsSerialPortSource

/// The ports that the registry lists. It knows their names and their drivers', and neither makers nor models: those are SetupAPI's, which
/// this does not ask yet.
package final class WindowsSerialPortSource: SerialPortSource {
    package init() {}

    package func ports() throws(SerialError) -> [SerialPortInfo] {
        var found: [SerialPortInfo] = []
        for place: UInt32 in 0..<4_096 {
            switch WindowsSystem.listedPort(place) {
            case .success(let info): found.append(info)
            case .failure(let code) where code.rawValue == Self.noMoreItems || code.rawValue == Self.noSuchKey: return found
            case .failure(let code): throw .system(.list, SystemCode(rawValue: code.rawValue))
            }
        }
        return found
    }

    package func port(at path: SerialText) -> SerialPortInfo? { try? ports().first { $0.path == path } }

    /// Not made yet: CM_Register_Notification would tell.
    package func listen() throws(SerialError) -> any SerialPortNews { throw .system(.watch, SystemCode(rawValue: Self.notSupported)) }

    private static let noSuchKey: Int32 = 2
    private static let notSupported: Int32 = 50
    private static let noMoreItems: Int32 = 259
}

extension WindowsSystem {
    /// One line of the registry's list.
    // SAFETY: both buffers are as long as the call is told, and it ends what it writes with a NUL.
    fileprivate static func listedPort(_ place: UInt32) -> Result<SerialPortInfo, SerialListCode> {
        var device = [UInt16](repeating: 0, count: 512)
        var port = [UInt16](repeating: 0, count: 64)
        let code = unsafe portloop_win32_comm_listed(place, &device, UInt32(device.count), &port, UInt32(port.count))
        guard code == 0 else { return .failure(SerialListCode(rawValue: Int32(bitPattern: code))) }
        let name = text(device)
        var info = SerialPortInfo(path: text(port), kind: .other)
        info.driver = name
        // The names that the drivers of USB adapters and of boards' own ports give their devices.
        if ["\\Device\\VCP", "\\Device\\USBSER", "\\Device\\Silabser", "\\Device\\ProlificSerial"].contains(where: { name.starts(with: $0) }
        ) {
            info.kind = .usb
        } else if name.starts(with: "\\Device\\Serial") {
            info.kind = .builtIn
        } else if name.starts(with: "\\Device\\BthModem") {
            info.kind = .bluetooth
        }
        return .success(info)
    }

    private static func text(_ units: [UInt16]) -> SerialText { SerialText(String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)) }
}

extension SerialText {
    fileprivate func starts(with text: String) -> Bool { bytes.starts(with: Array(text.utf8)) }
}

/// A code of the registry's.
private struct SerialListCode: Error {
    let rawValue: Int32
}
#endif
