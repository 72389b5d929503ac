internal import CLoopWin32

/// What a packet's NTSTATUS is called where a Win32 code is wanted.
enum StatusCases {
    /// Status, code. From ntstatus.h and Microsoft's table of `RtlNtStatusToDosError`.
    private static let table: [(UInt32, UInt32)] = [
        (0x0000_0000, 0),  // STATUS_SUCCESS
        (0x0000_0103, 997),  // STATUS_PENDING: ERROR_IO_PENDING
        (0x8000_0005, 234),  // STATUS_BUFFER_OVERFLOW: ERROR_MORE_DATA
        (0xC000_0008, 6),  // STATUS_INVALID_HANDLE
        (0xC000_000D, 87),  // STATUS_INVALID_PARAMETER
        (0xC000_0011, 38),  // STATUS_END_OF_FILE: ERROR_HANDLE_EOF
        (0xC000_0022, 5),  // STATUS_ACCESS_DENIED
        (0xC000_00B0, 233),  // STATUS_PIPE_DISCONNECTED: ERROR_PIPE_NOT_CONNECTED
        (0xC000_00B1, 232),  // STATUS_PIPE_CLOSING: ERROR_NO_DATA
        (0xC000_0120, 995),  // STATUS_CANCELLED: ERROR_OPERATION_ABORTED
        (0xC000_014B, 109),  // STATUS_PIPE_BROKEN: ERROR_BROKEN_PIPE
        (0xC000_020D, 64),  // STATUS_CONNECTION_RESET: ERROR_NETNAME_DELETED, where Winsock says 10054
        (0xC000_0225, 1168),  // STATUS_NOT_FOUND
        (0xC0FE_4567, 317),  // nobody's: ERROR_MR_MID_NOT_FOUND
        (0xE123_4567, 0xE123_4567),  // a customer's, by bit 29: itself
    ]

    static let suite = Suite(
        "statuses",
        table.map { status, code in
            Case("status \(status) is code \(code)") { check throws(Unmet) in
                check.expectEqual(portloop_win32_error_of_status(status), code, "the code")
            }
        })
}
