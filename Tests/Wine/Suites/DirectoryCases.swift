internal import CLoopWin32

/// Changes of directories.
enum DirectoryCases {
    private static let fileNames: UInt32 = 1

    static let suite = Suite(
        "directories",
        [
            Case("a new file is a packet with its name in it") { check throws(Unmet) in
                let (port, folder, changes) = (try RawPort(), try Scratch.folder(), Block(bytes: 1024))
                let directory = try watch(folder, port)
                let code = unsafe portloop_win32_directory_changes(
                    directory.handle, changes.buffer.baseAddress, changes.count, 0, fileNames, changes.overlapped)
                try check.must("watch", code == Windows.pending ? 0 : code)
                _ = try RawHandle.open(folder + "\\new", Windows.genericWrite, Windows.createAlways)
                let count = try port.next("the change", of: changes)
                try check.require(count >= portloop_win32_change_name_offset, "\(count) bytes")
                let change = unsafe changes.buffer.load(as: portloop_win32_change.self)
                check.expectEqual(change.action, 1, "FILE_ACTION_ADDED")
                check.expectEqual(change.name_bytes, 6, "the name's length")
                let name = changes.bytes(count)[portloop_win32_change_name_offset...].prefix(6)
                check.expect(Array(name) == [UInt8(ascii: "n"), 0, UInt8(ascii: "e"), 0, UInt8(ascii: "w"), 0], "the name")
            },
            Case("a cancelled watch has one packet") { check throws(Unmet) in
                let (port, folder, changes) = (try RawPort(), try Scratch.folder(), Block(bytes: 1024))
                let directory = try watch(folder, port)
                let code = unsafe portloop_win32_directory_changes(
                    directory.handle, changes.buffer.baseAddress, changes.count, 0, fileNames, changes.overlapped)
                try check.must("watch", code == Windows.pending ? 0 : code)
                try check.must("cancel", unsafe portloop_win32_cancel(directory.handle, changes.overlapped))
                check.expectEqual(try port.next("the watch", of: changes), 0, "bytes")
                check.expectEqual(changes.status, Windows.statusCancelled, "the status")
                check.expect(port.isEmpty, "and nothing else")
            },
            Case("a folder is removed when it is empty") { check throws(Unmet) in
                let folder = try Scratch.folder()
                check.expectEqual(unsafe portloop_win32_directory_create(folder.wide), 183, "ERROR_ALREADY_EXISTS")
                try check.must("remove", unsafe portloop_win32_directory_remove(folder.wide))
                check.expectEqual(unsafe portloop_win32_directory_remove(folder.wide), 2, "ERROR_FILE_NOT_FOUND")
            },
        ])

    private static func watch(_ folder: String, _ port: RawPort) throws(Unmet) -> RawHandle {
        let directory = try RawHandle.open(
            folder, Windows.listDirectory, Windows.openExisting, Windows.overlapped | Windows.backupSemantics)
        try port.associate(directory.handle, key: 1)
        return directory
    }
}
