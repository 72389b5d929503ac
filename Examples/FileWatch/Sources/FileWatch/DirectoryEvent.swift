/// What happened in a watched directory.
public enum DirectoryEvent: Hashable, Sendable {
    /// An entry is there that was not: made here, or moved here from elsewhere.
    case created(FileName)
    /// An entry is gone: deleted, or moved elsewhere.
    case removed(FileName)
    /// An entry has another name, within the directory. What had that name before is gone.
    case renamed(from: FileName, to: FileName)
    /// A file's contents changed. On Windows this stands for changed attributes too: the system does not tell them apart.
    case modified(FileName)
    /// An entry's owner, permissions, times or links changed.
    case attributesChanged(FileName)
    /// Events were lost: look at the directory itself. Everything up to the moment this is taken is covered by that look.
    case rescan(RescanReason)
}

/// Why events were lost.
public enum RescanReason: UInt8, Hashable, Sendable {
    /// The kernel's own queue was full.
    case systemQueueFull
    /// Nobody took the watch's events, and its queue was full.
    case watchQueueFull
    /// The kernel sent a record that makes no sense.
    case unreadable
}

/// Why a watch has no more events.
public enum WatchEnding: UInt8, Hashable, Sendable {
    /// The directory was deleted.
    case deleted
    /// The directory itself was moved or renamed: it is no longer what its path names.
    case movedAway
    /// The file system of the directory was unmounted.
    case unmounted
    /// The watch was closed, or its loop was shut down.
    case closed
}
