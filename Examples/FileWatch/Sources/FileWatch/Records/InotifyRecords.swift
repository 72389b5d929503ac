/// What one read of an inotify descriptor brings: records of 16 bytes and a name, one behind the other.
///
/// ```c
/// struct inotify_event { int wd; uint32_t mask, cookie, len; char name[]; };
/// ```
///
/// `len` counts the name with the NULs that pad it, and is zero for what happened to the directory itself. The bits are those of
/// linux/inotify.h. Nothing here calls the system, so it is built and tested on every platform.
enum InotifyRecords {
    /// Visits each change in its order. A record that does not fit ends the walk: what follows cannot be found any more.
    static func forEachChange(in bytes: RawSpan, _ visit: (Change) -> Void) {
        var offset = 0
        while offset < bytes.byteCount {
            guard let mask = bytes.number(UInt32.self, at: offset + 4), let cookie = bytes.number(UInt32.self, at: offset + 8),
                let length = bytes.number(UInt32.self, at: offset + 12).flatMap({ Int(exactly: $0) }),
                let padded = bytes.numbers(UInt8.self, at: offset + headerBytes, byteCount: length)
            else { return visit(.lost(.unreadable)) }
            if let change = change(InotifyMask(rawValue: mask), cookie, padded) { visit(change) }
            offset += headerBytes + length
        }
    }

    private static let headerBytes = 16

    private static func change(_ mask: InotifyMask, _ cookie: UInt32, _ padded: [UInt8]) -> Change? {
        if let change = changeOfDirectory(mask) { return change }
        guard !mask.isDisjoint(with: .ofEntries) else { return nil }  // Nothing that was asked for.
        guard let name = name(padded) else {
            // The directory's own attributes and times change with every entry, and are no event.
            return mask.isDisjoint(with: [.attributes, .modify]) ? .lost(.unreadable) : nil
        }
        if mask.contains(.create) { return .created(name) }
        if mask.contains(.delete) { return .removed(name) }
        if mask.contains(.movedFrom) { return .movedFrom(name, cookie) }
        if mask.contains(.movedTo) { return .movedTo(name, cookie) }
        return mask.contains(.modify) ? .modified(name) : .attributesChanged(name)
    }

    private static func changeOfDirectory(_ mask: InotifyMask) -> Change? {
        if mask.contains(.queueOverflow) { return .lost(.systemQueueFull) }
        if mask.contains(.unmount) { return .gone(.unmounted) }
        if mask.contains(.moveSelf) { return .gone(.movedAway) }
        // The watch is taken off as the directory goes. By itself that is said only where the record before it was lost.
        return mask.isDisjoint(with: [.deleteSelf, .ignored]) ? nil : .gone(.deleted)
    }

    /// The name up to its first NUL; nil where there is none, or no name before it.
    private static func name(_ padded: [UInt8]) -> FileName? {
        guard let end = padded.firstIndex(of: 0), end > 0 else { return nil }
        return FileName(bytes: Array(padded[..<end]))
    }
}

/// The bits of an inotify record and of a watch, as linux/inotify.h numbers them.
struct InotifyMask: OptionSet {
    let rawValue: UInt32

    static let modify = InotifyMask(rawValue: 0x2)
    static let attributes = InotifyMask(rawValue: 0x4)
    static let movedFrom = InotifyMask(rawValue: 0x40)
    static let movedTo = InotifyMask(rawValue: 0x80)
    static let create = InotifyMask(rawValue: 0x100)
    static let delete = InotifyMask(rawValue: 0x200)
    static let deleteSelf = InotifyMask(rawValue: 0x400)
    static let moveSelf = InotifyMask(rawValue: 0x800)
    static let unmount = InotifyMask(rawValue: 0x2000)
    static let queueOverflow = InotifyMask(rawValue: 0x4000)
    static let ignored = InotifyMask(rawValue: 0x8000)
    static let onlyDirectory = InotifyMask(rawValue: 0x0100_0000)
    static let excludeUnlinked = InotifyMask(rawValue: 0x0400_0000)

    static let ofEntries: InotifyMask = [.modify, .attributes, .movedFrom, .movedTo, .create, .delete]
    /// What a watch asks for. An entry that was unlinked while somebody has it open is not the directory's any more.
    static let asked: InotifyMask = [ofEntries, .deleteSelf, .moveSelf, .onlyDirectory, .excludeUnlinked]
}
