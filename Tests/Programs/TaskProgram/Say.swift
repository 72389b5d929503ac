#if PORTLOOP_LINUX
import Glibc

/// Writes a line at once, without a buffer.
func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = unsafe write(1, bytes, bytes.count)
}

/// Ends the program where something does not hold.
func require(_ isTrue: Bool, _ what: @autoclosure () -> String, line: UInt = #line) {
    guard !isTrue else { return }
    say("line \(line): \(what())")
    exit(1)
}

/// The names of this process's threads, if they are not as they should be; looked at again for a while, because a thread that was joined is
/// still listed until the kernel has put it away.
func threadNames(unless isRight: ([String]) -> Bool) -> [String]? {
    for _ in 0..<10_000 {
        if isRight(threadNames()) { return nil }
        sched_yield()
    }
    return threadNames()
}

/// Notes the threads that are there before a loop is, the first apart: a sanitizer's. It starts its own together with the program's second
/// thread, so there is one first.
func noteThreadsOfOthers() {
    var thread = pthread_t()
    let code = unsafe pthread_create(&thread, nil, { _ in nil }, nil)
    require(code == 0, "pthread_create said \(code)")
    pthread_join(thread, nil)
    unsafe threadsOfOthers = threadNumbers().filter { $0 != getpid() }
}

/// Set once, by the first thread, when there is no other of ours.
private nonisolated(unsafe) var threadsOfOthers: [pid_t] = []

private func threadNumbers() -> [pid_t] {
    guard let folder = unsafe opendir("/proc/self/task") else { return [] }
    defer { unsafe closedir(folder) }
    var numbers: [pid_t] = []
    while let entry = unsafe readdir(folder) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if let number = pid_t(name) { numbers.append(number) }
    }
    return numbers
}

private func threadNames() -> [String] {
    var names: [String] = []
    for number in threadNumbers() where unsafe !threadsOfOthers.contains(number) {
        let file = unsafe open("/proc/self/task/\(number)/comm", O_RDONLY)
        // A thread may end between the list and the look.
        guard file >= 0 else { continue }
        var name = [UInt8](repeating: 0, count: 32)
        let count = unsafe read(file, &name, name.count)
        close(file)
        if count > 1 { names.append(String(decoding: name.prefix(count - 1), as: UTF8.self)) }
    }
    return names
}
#endif
