import Glibc
import Portloop
import Synchronization

/// A thousand fibers that do nothing but yield, and one that waits for a byte: how long it waits behind the others once the byte is there.
func runFairness(yielders: Int, probes: Int) {
    let loop = makeLoop()
    let waits: [UInt64] = loop.run { loop async in
        let fibers = (0..<yielders).map { _ in
            loop.spawn { _ async in while !Task.isCancelled { await Task.yield() } }
        }
        let waits = await probe(loop, probes)
        for fiber in fibers { fiber.cancel() }
        return waits
    }
    let sorted = waits.sorted()
    let (median, late) = (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
    print("probes=\(sorted.count) median_ns=\(median) p99_ns=\(late) worst_ns=\(sorted[sorted.count - 1])")
    loop.shutdown()
}

/// Writes a byte, and reads it through the loop.
// SAFETY: the pair's descriptors are two integers, and one byte is written from a variable of one byte.
private func probe(_ loop: isolated EventLoop, _ count: Int) async -> [UInt64] {
    var ends: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else { trap("no socket pair") }
    let (near, far) = (ends[0], ends[1])
    guard let handle = try? loop.operations.associate(NativeHandle(rawValue: Int(near))) else { trap("the socket was refused") }
    var waits: [UInt64] = []
    for _ in 0..<count {
        let writer = loop.spawn { loop async -> MonotonicInstant in
            var byte: UInt8 = 1
            unsafe write(far, &byte, 1)
            return loop.now
        }
        let read = try? await loop.operations.perform(on: handle, capacity: 1) { op in op.read() }.end
        let now = loop.now
        guard read == .finished else { trap("the probe was not answered") }
        waits.append(now.nanoseconds(since: await writer.value))
    }
    _ = try? await loop.operations.awaitRetire(handle)
    close(near)
    close(far)
    return waits
}

/// So many tasks that sleep a second at the same time: what they cost in processor time and in memory each.
func runSleepers(count: Int, onLoop: Bool) {
    let before = usage()
    if onLoop {
        let loop = makeLoop()
        loop.run { loop async in
            for _ in 0..<count { loop.spawn { loop async in try? await loop.sleep(for: .seconds(1)) } }
        }
        loop.shutdown()
    } else {
        let (done, left) = (DispatchEnd(), Left(count))
        for _ in 0..<count {
            Task {
                try? await Task.sleep(for: .seconds(1))
                if left.countDown() { done.signal() }
            }
        }
        done.wait()
    }
    let after = usage()
    let bytes = Double(after.kibibytes - before.kibibytes) * 1024 / Double(count)
    print("cpu_ns=\(after.nanoseconds - before.nanoseconds) bytes_each=\(Int(bytes))")
}

/// So many reads in flight on one loop, in fibers, cancelled at once: the time for each until its fiber has ended.
func runCancelStorm(count: Int) {
    var limits = Limits()
    limits.operationsMax = count + 16
    limits.operationsPerHandleMax = count + 16
    let loop: EventLoop
    do { loop = try EventLoop.native(limits: limits) } catch { trap("no completion port: \(error)") }
    let (took, ended) = loop.run { loop async in await storm(loop, count) }
    print("operations=\(count) ns_each=\(Double(took) / Double(count)) cancelled=\(ended)")
    guard loop.shutdown().isClean else { trap("the storm left something behind") }
}

// SAFETY: the pair's descriptors are two integers, as the call wants them.
private func storm(_ loop: isolated EventLoop, _ count: Int) async -> (UInt64, Int) {
    var ends: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else { trap("no socket pair") }
    guard let handle = try? loop.operations.associate(NativeHandle(rawValue: Int(ends[0]))) else { trap("the socket was refused") }
    let fibers = (0..<count).map { _ in
        loop.spawn { loop async in (try? await loop.operations.perform(on: handle, capacity: 1) { op in op.read() })?.end == .cancelled }
    }
    while loop.metrics.operations.submitted < count { await Task.yield() }
    let began = loop.now
    for fiber in fibers { fiber.cancel() }
    var ended = 0
    for fiber in fibers where await fiber.value { ended += 1 }
    let took = loop.now.nanoseconds(since: began)
    _ = try? await loop.operations.awaitRetire(handle)
    for end in ends { close(end) }
    return (took, ended)
}

/// The processor time of this process, and the most memory it has had.
// SAFETY: the structure is the one that the call fills.
private func usage() -> (nanoseconds: Int, kibibytes: Int) {
    var usage = rusage()
    unsafe getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
    return (seconds * 1_000_000_000 + microseconds * 1_000, usage.ru_maxrss)
}

/// How many tasks are left.
private final class Left: Sendable {
    private let count: Atomic<Int>

    init(_ count: Int) { self.count = Atomic(count) }

    /// Whether it was the last.
    func countDown() -> Bool { count.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}

/// Where the main thread waits for tasks of the default executor.
private final class DispatchEnd: Sendable {
    private let address: UInt

    // SAFETY: never freed: it is there for as long as the program.
    init() {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
        address = UInt(bitPattern: semaphore)
    }

    // SAFETY: as above.
    func signal() { unsafe UnsafeMutablePointer<sem_t>(bitPattern: address).map { unsafe _ = sem_post($0) } }

    // SAFETY: as above.
    func wait() { unsafe UnsafeMutablePointer<sem_t>(bitPattern: address).map { while unsafe sem_wait($0) != 0 {} } }
}
