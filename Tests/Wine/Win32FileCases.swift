internal import CLoopWin32
internal import LoopCore
internal import LoopSim

/// Overlapped files, and changes of directories.
enum Win32FileCases {
    static var suite: Suite {
        Suite(
            "the Windows port: files",
            on: [
                Win32Case("reads and writes at offsets give one packet each, with whole counts", offsets),
                Win32Case("operations at different places of a file do not wait for each other's turn", manyAtOnce),
                Win32Case("a read at the border of the file brings what is there", border),
                Win32Case("an offset above 4 GiB is kept whole", farOffset),
                Win32Case("ranges of one buffer are written in order, as one write", gather),
                Win32Case("an operation without an offset is refused: an overlapped handle has no position", noOffset),
                Win32Case("a file is ready at once, for what it can be ready for", readiness),
                Win32Case("a cancelled read is one packet, with all its bytes or as aborted", cancelled),
                Win32Case("a file that is closed with operations in flight gives each its packet", closedInFlight),
                Win32Case("a change of a directory is a packet of the adapter's own call", directoryChange),
                Win32Case("a watch of a directory that is cancelled is aborted, and one that is closed ends", directoryEnd),
            ])
    }

    private static func file(_ bench: Win32Bench) throws(Unmet) -> AssociatedHandle { try bench.associate(Win32.temporaryFile()) }

    private static func offsets(_ bench: Win32Bench) throws(Unmet) {
        let handle = try file(bench)
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let written = try bench.finish(try bench.write(handle, bytes, at: 0)).completion
        bench.check.expect(written == Completion(count: bytes.count), "a whole write")
        let middle = try bench.finish(try bench.read(handle, capacity: 5_000, at: 70_000))
        bench.check.expect(middle.bytes == Array(bytes[70_000..<75_000]), "the bytes of the middle")
        bench.check.expect(middle.completion == Completion(count: 5_000), "a whole read")
        bench.look()
        bench.check.expectEqual(bench.counts.packets, 2, "packets")
        bench.check.expectEqual(bench.counts.stalePackets, 0, "packets nobody owed")
    }

    private static func manyAtOnce(_ bench: Win32Bench) throws(Unmet) {
        let handle = try file(bench)
        let places = (0..<32).map { UInt64(($0 * 7) % 32) }
        var ids: [OperationID] = []
        for place in places { ids.append(try bench.write(handle, [UInt8](repeating: UInt8(place), count: 512), at: place * 512)) }
        for id in ids { bench.check.expectEqual(try bench.finish(id).completion.count, 512, "written") }
        ids = []
        for place in places { ids.append(try bench.read(handle, capacity: 512, at: place * 512)) }
        for (id, place) in zip(ids, places) {
            bench.check.expect(try bench.finish(id).bytes == [UInt8](repeating: UInt8(place), count: 512), "the bytes of place \(place)")
        }
        bench.check.expectEqual(bench.counts.packets, 64, "packets")
    }

    private static func border(_ bench: Win32Bench) throws(Unmet) {
        let handle = try file(bench)
        _ = try bench.finish(try bench.write(handle, [1, 2, 3], at: 0))
        bench.check.expect(try bench.finish(try bench.read(handle, capacity: 64, at: 2)).bytes == [3], "the last byte")
        bench.check.expect(try bench.finish(try bench.read(handle, capacity: 0, at: 0)).completion == Completion(count: 0), "no bytes")
    }

    private static func farOffset(_ bench: Win32Bench) throws(Unmet) {
        let handle = try file(bench)
        let far = UInt64(5) << 32 | 12
        let written = try bench.finish(try bench.write(handle, [5, 6], at: far)).completion
        guard written.error == .none else { throw .notApplicable("a file system with sparse files") }
        bench.check.expect(try bench.finish(try bench.read(handle, capacity: 2, at: far)).bytes == [5, 6], "what was written there")
        bench.check.expect(try bench.finish(try bench.read(handle, capacity: 2, at: 12)).bytes == [0, 0], "and not 20 GiB before it")
    }

    private static func gather(_ bench: Win32Bench) throws(Unmet) {
        let handle = try file(bench)
        for (segments, expected) in [([4..<6, 0..<1, 2..<2, 2..<4], [5, 6, 1, 3, 4]), ([1..<3, 3..<3, 3..<5], [2, 3, 4, 5]), ([], [])]
            as [([Range<Int>], [UInt8])]
        {
            let id = try bench.prepare(handle, holding: [1, 2, 3, 4, 5, 6])
            try bench.must("write") { () throws(OperationError) in
                try bench.ops.write(id, segments: segments, at: FileOffset(0))
            }
            bench.check.expectEqual(try bench.finish(id).completion.count, expected.count, "the count")
            let found = try bench.finish(try bench.read(handle, capacity: expected.count, at: 0)).bytes
            bench.check.expect(found == expected, "what was written")
        }
    }

    private static func noOffset(_ bench: Win32Bench) throws(Unmet) {
        let handle = try file(bench)
        let id = try bench.prepare(handle, capacity: 4)
        do throws(OperationError) {
            try bench.ops.read(id)
            bench.check.fail("a read without an offset was not refused")
        } catch { bench.check.expect(error == .refused(SystemCode(rawValue: 87)), "the reason: \(error.words)") }
        bench.check.expect(bench.phase(id) == .free, "nothing is left of it")
    }

    private static func readiness(_ bench: Win32Bench) throws(Unmet) {
        let handle = try file(bench)
        let found = try bench.finish(try bench.poll(handle, [.readable, .writable])).completion
        bench.check.expectEqual(found.count, 3, "ready for both")
        bench.check.expectEqual(bench.readinessRequests, 0, "questions to the driver of sockets")
    }

    private static func cancelled(_ bench: Win32Bench) throws(Unmet) {
        let handle = try file(bench)
        _ = try bench.finish(try bench.write(handle, [UInt8](repeating: 3, count: 1 << 16), at: 0))
        for _ in 0..<50 {
            let id = try bench.read(handle, capacity: 1 << 16, at: 0)
            try bench.cancel(id)
            let result = try bench.finish(id)
            let isWhole = result.completion.severity == .success && result.bytes.count == 1 << 16
            bench.check.expect(isWhole || result.completion.severity == .aborted, "whole, or aborted")
        }
        bench.check.expectEqual(bench.counts.packets, 51, "packets")
    }

    private static func closedInFlight(_ bench: Win32Bench) throws(Unmet) {
        let file = NativeHandle(rawValue: Win32.temporaryFile())
        let handle = try bench.associate(file)
        var ids: [OperationID] = []
        for place in 0..<8 { ids.append(try bench.write(handle, [UInt8](repeating: 1, count: 1 << 16), at: UInt64(place) << 16)) }
        Win32.close(file)
        for id in ids {
            let completion = try bench.finish(id, "the packet of a closed file").completion
            bench.check.expect(completion.severity == .aborted || completion.count == 1 << 16, "whole, or aborted")
        }
        try bench.retire(handle)
    }

    // MARK: directories

    /// A new directory, overlapped, and its path without the NUL.
    private static func directory(_ bench: Win32Bench) throws(Unmet) -> (AssociatedHandle, path: [UInt16]) {
        let path = Win32.newName(Win32.temporaryFolder)
        try bench.check.must("a directory", unsafe portloop_win32_directory_create(path))
        let backupSemantics: UInt32 = 0x0200_0000
        let handle = Win32.open(path, access: 1, disposition: Win32.openExisting, flags: backupSemantics | Win32.overlappedFlag)
        return (try bench.associate(handle), Array(path.dropLast()))
    }

    private static func watch(_ bench: Win32Bench, _ handle: AssociatedHandle) throws(Unmet) -> OperationID {
        try bench.native(handle, capacity: 1024) { lent in
            let nameChanges: UInt32 = 1
            return unsafe portloop_win32_directory_changes(
                handle.native.rawValue, lent.buffer.baseAddress, lent.count, 0, nameChanges, lent.overlapped)
        }
    }

    private static func directoryChange(_ bench: Win32Bench) throws(Unmet) {
        let (handle, path) = try directory(bench)
        let id = try watch(bench, handle)
        bench.look()
        bench.check.expect(bench.phase(id) == .submitted, "nothing has changed")
        let name = path + Win32.wide("\\a")
        Win32.closeHandle(Win32.open(name, access: Win32.readWrite, disposition: Win32.createAlways, flags: 0))
        let result = try bench.finish(id, "a change")
        bench.check.expect(result.completion.severity == .success, "a success")
        // FILE_ACTION_ADDED, two bytes of a name, which is "a".
        let expected: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0, 97, 0]
        bench.check.expect(Array(result.bytes.dropFirst(4).prefix(10)) == expected, "what has changed")
        try bench.retire(handle)
        bench.close(handle.native)
        try bench.check.must("delete", unsafe portloop_win32_file_delete(name))
        try bench.check.must("remove", unsafe portloop_win32_directory_remove(path + [0]))
    }

    private static func directoryEnd(_ bench: Win32Bench) throws(Unmet) {
        let (handle, path) = try directory(bench)
        let first = try watch(bench, handle)
        bench.look()
        bench.check.expect(try bench.cancel(first), "a watch can be asked to end")
        bench.check.expect(try bench.finish(first).completion.severity == .aborted, "the severity")
        let second = try watch(bench, handle)
        bench.look()
        bench.close(handle.native)
        bench.check.expect(try bench.finish(second, "the packet of a closed directory").bytes.isEmpty, "nothing was found")
        try bench.retire(handle)
        try bench.check.must("remove", unsafe portloop_win32_directory_remove(path + [0]))
    }
}
