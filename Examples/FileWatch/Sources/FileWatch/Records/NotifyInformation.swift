/// What one `ReadDirectoryChangesW` brings: records chained by the distance from each to the next.
///
/// ```c
/// struct FILE_NOTIFY_INFORMATION { DWORD NextEntryOffset, Action, FileNameLength; WCHAR FileName[]; };
/// ```
///
/// The length counts bytes, there is no NUL, and the distance is zero at the last record. Windows pads records to a multiple of four,
/// Wine does not, and nothing here relies on it. Nothing here calls the system, so it is built and tested on every platform.
enum NotifyInformation {
    /// Visits each change in its order. No bytes mean that there were more changes than the kernel could keep; a record that does not fit
    /// ends the walk: what follows cannot be found any more.
    static func forEachChange(in bytes: RawSpan, _ visit: (Change) -> Void) {
        guard !bytes.isEmpty else { return visit(.lost(.systemQueueFull)) }
        var offset = 0
        while true {
            guard let next = bytes.number(UInt32.self, at: offset).flatMap({ Int(exactly: $0) }),
                let action = bytes.number(UInt32.self, at: offset + 4),
                let length = bytes.number(UInt32.self, at: offset + 8).flatMap({ Int(exactly: $0) }), length > 0,
                let name = bytes.numbers(UInt16.self, at: offset + headerBytes, byteCount: length)
            else { return visit(.lost(.unreadable)) }
            visit(change(action, FileName(utf16: name)))
            if next == 0 { return }
            // Forward, and not into this record: a chain that turned back would never end. A record begins at a unit of the names.
            guard next >= headerBytes + length, next % 2 == 0, next <= bytes.byteCount - offset else { return visit(.lost(.unreadable)) }
            offset += next
        }
    }

    private static let headerBytes = 12

    /// By the numbers of winnt.h: FILE_ACTION_ADDED and so on. The names of a rename come in a row and have no number to find each other
    /// by. What is not known here happened to the file all the same.
    private static func change(_ action: UInt32, _ name: FileName) -> Change {
        switch action {
        case 1: .created(name)
        case 2: .removed(name)
        case 4: .movedFrom(name, 0)
        case 5: .movedTo(name, 0)
        default: .modified(name)
        }
    }
}
