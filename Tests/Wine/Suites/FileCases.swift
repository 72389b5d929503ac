internal import CLoopWin32

/// Files, overlapped.
enum FileCases {
    static let suite = Suite(
        "files",
        [
            Case("what is written at an offset is read there, one packet each") { check throws(Unmet) in
                let (port, path) = (try RawPort(), try Scratch.path())
                let file = try RawHandle.open(path, Windows.genericRead | Windows.genericWrite, Windows.createAlways)
                try port.associate(file.handle, key: 3)
                let writing = Block(holding: [1, 2, 3, 4])
                unsafe writing.overlapped.pointee.offset = 10
                try check.owes("write", file.write(writing))
                check.expectEqual(try port.next("the write", of: writing), 4, "bytes written")
                check.expectEqual(writing.status, 0, "the status in the control block")
                let reading = Block()
                unsafe reading.overlapped.pointee.offset = 9
                try check.owes("read", file.read(reading))
                check.expectEqual(try port.next("the read", of: reading), 5, "bytes read")
                check.expect(reading.bytes(5) == [0, 1, 2, 3, 4], "the bytes")
                check.expect(port.isEmpty, "and nothing else")
                var size: UInt64 = 0
                try check.must("size", unsafe portloop_win32_file_size(file.handle, &size))
                check.expectEqual(size, 14, "the size")
            },
            Case("a read past the end is refused, or ends with its code: never both") { check throws(Unmet) in
                let (port, path) = (try RawPort(), try Scratch.path())
                let file = try RawHandle.open(path, Windows.genericRead | Windows.genericWrite, Windows.createAlways)
                try port.associate(file.handle, key: 3)
                let reading = Block()
                let code = file.read(reading)
                if code == Windows.pending {
                    check.expectEqual(try port.next("the read", of: reading), 0, "bytes read")
                    check.expectEqual(portloop_win32_error_of_status(reading.status), UInt32(portloop_win32_handle_eof), "the code")
                } else {
                    check.expectEqual(code, UInt32(portloop_win32_handle_eof), "the code")
                }
                check.expect(port.isEmpty, "and nothing else")
            },
            Case("a file's end can be set, and the file moved and deleted") { check throws(Unmet) in
                let (path, other) = (try Scratch.path(), try Scratch.path())
                var size: UInt64 = 0
                do {
                    let file = try RawHandle.open(path, Windows.genericWrite, Windows.createAlways, 0)
                    try file.writeNow([1, 2, 3])
                    try check.must("set the end", portloop_win32_file_set_end(file.handle, 5_000_000_000))
                    try check.must("size", unsafe portloop_win32_file_size(file.handle, &size))
                    check.expectEqual(size, 5_000_000_000, "longer")
                    try check.must("set the end", portloop_win32_file_set_end(file.handle, 2))
                    try check.must("size", unsafe portloop_win32_file_size(file.handle, &size))
                    check.expectEqual(size, 2, "shorter")
                    try check.must("flush", portloop_win32_file_flush(file.handle))
                }
                try check.must("move", unsafe portloop_win32_file_move(path.wide, other.wide))
                check.expectEqual(unsafe portloop_win32_file_delete(path.wide), 2, "the old name")
                try check.must("delete", unsafe portloop_win32_file_delete(other.wide))
            },
            Case("a file that is not there is refused with its code") { check throws(Unmet) in
                var made = 0
                let path = try Scratch.path()
                let code = unsafe portloop_win32_file_open(
                    path.wide, Windows.genericRead, Windows.shareAll, nil, Windows.openExisting, 0, 0, &made)
                check.expectEqual(code, 2, "ERROR_FILE_NOT_FOUND")
            },
        ])
}
