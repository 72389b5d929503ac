internal import CLoopWin32
internal import LoopCore

/// The shim's layouts as Swift sees them. That they are Windows' own is asserted in the shim.
enum LayoutCases {
    // SAFETY: only sizes and distances are asked for.
    static let suite = Suite(
        "layouts",
        [
            Case("a control block has room for the kernel's part") { check throws(Unmet) in
                check.expectEqual(MemoryLayout<portloop_win32_overlapped>.size, ControlBlock.kernelBytes, "OVERLAPPED")
                check.expectEqual(MemoryLayout<portloop_win32_overlapped>.stride, 32, "OVERLAPPED in an array")
            },
            Case("an array of entries has Windows' stride") { check throws(Unmet) in
                check.expectEqual(unsafe MemoryLayout<portloop_win32_entry>.stride, 32, "OVERLAPPED_ENTRY")
                check.expectEqual(unsafe MemoryLayout<portloop_win32_segment>.stride, 16, "WSABUF")
            },
            Case("the kernel's own layouts have the size they have in C") { check throws(Unmet) in
                check.expectEqual(MemoryLayout<portloop_win32_poll>.size, 32, "AFD_POLL_INFO")
                check.expectEqual(MemoryLayout<portloop_win32_comm_state>.stride, 28, "DCB")
                check.expectEqual(MemoryLayout<portloop_win32_comm_timeouts>.size, 20, "COMMTIMEOUTS")
                check.expectEqual(MemoryLayout<portloop_win32_comm_status>.size, 12, "COMSTAT")
                check.expectEqual(MemoryLayout<portloop_win32_change>.size, 16, "FILE_NOTIFY_INFORMATION")
                check.expectEqual(MemoryLayout<portloop_win32_address4>.size, 16, "sockaddr_in")
                check.expectEqual(MemoryLayout<portloop_win32_address6>.size, 28, "sockaddr_in6")
            },
        ])
}
