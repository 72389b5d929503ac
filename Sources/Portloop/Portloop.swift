@_exported public import LoopCore

#if os(Linux)
public import LoopEpoll

/// Why the system gave no completion port.
public typealias NativePortError = EpollPortError

extension EventLoop {
    /// A loop on the platform's own completion port: on Linux, emulated over epoll. The calling thread becomes the loop's.
    public static func native(limits: Limits = Limits()) throws(NativePortError) -> EventLoop {
        EventLoop(port: try EpollPort(), limits: limits)
    }
}
#endif

#if os(Windows)
public import LoopWin32

/// Why the system gave no completion port.
public typealias NativePortError = Win32PortError

extension EventLoop {
    /// A loop on the platform's own completion port. The calling thread becomes the loop's.
    public static func native(limits: Limits = Limits()) throws(NativePortError) -> EventLoop {
        EventLoop(port: try Win32Port(), limits: limits)
    }
}
#endif
