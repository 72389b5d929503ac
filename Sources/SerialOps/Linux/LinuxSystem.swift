#if PORTLOOP_LINUX
internal import CSerialOps
internal import Glibc

/// What the system knows about ports beside their drivers.
enum LinuxSystem {
    /// Where pseudo terminals are.
    static let pseudoTerminals = Array("/dev/pts/".utf8)

    /// The path without links.
    static func resolved(_ path: SerialText) -> SerialText {
        // SAFETY: realpath allocates what it returns, as a NUL-terminated string.
        guard let found = unsafe realpath(path.nulTerminated, nil) else { return path }
        defer { unsafe free(found) }
        return unsafe SerialText(String(cString: found))
    }

    /// The group that may use the port, where it is one that a user can join.
    static func group(of path: SerialText) -> SerialText? {
        var number: UInt32 = 0
        // SAFETY: the name ends with a NUL, and the group's name lives until the next such call of this thread.
        guard unsafe portloop_serial_group(path.nulTerminated, &number) == 1, number != 0 else { return nil }
        guard let entry = unsafe getgrgid(number), let name = unsafe entry.pointee.gr_name else { return nil }
        return unsafe SerialText(String(cString: name))
    }

    /// Who has the port open, as far as this user may look: another process before this one.
    static func holder(of path: SerialText) -> PortHolder {
        var holder = PortHolder(path: path)
        let target = resolved(path)
        let own = getpid()
        for process in numbers(in: "/proc") where holder.process == nil || holder.process == own {
            let folder = "/proc/\(process)/fd"
            for number in numbers(in: folder) where link("\(folder)/\(number)") == target {
                holder.process = process
                holder.program = line(of: "/proc/\(process)/comm")
                break
            }
        }
        return holder
    }

    /// The entries of a folder that are numbers.
    // SAFETY: an entry lives until the next is read, and its name ends with a NUL.
    private static func numbers(in folder: String) -> [Int32] {
        guard let directory = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(directory) }
        var found: [Int32] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if let number = Int32(name) { found.append(number) }
        }
        return found
    }

    /// What a link leads to.
    // SAFETY: as many bytes are read from the buffer as the call says it wrote.
    static func link(_ path: String) -> SerialText? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            guard let place = bytes.baseAddress else { return -1 }
            return unsafe readlink(path, place.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        return count < 0 ? nil : SerialText(bytes: Array(buffer.prefix(count)))
    }

    /// The first line of a small file of the system's.
    // SAFETY: the path is NUL-terminated for the time of the call, which writes at most as many bytes as the buffer has.
    static func line(of path: String) -> SerialText? {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(fd, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        return SerialText(bytes: Array(buffer.prefix(count).prefix { $0 != 0x0A }))
    }
}

extension SerialText {
    /// The bytes as C wants them.
    var nulTerminated: [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
}
#endif
