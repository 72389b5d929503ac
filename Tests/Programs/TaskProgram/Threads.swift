#if PORTLOOP_LINUX
import Glibc
import LoopCore
import LoopEpoll
import Synchronization
import _Concurrency

/// Uses every feature of tasks and counts the process's threads meanwhile.
func useEveryFeature() -> Never {
    noteThreadsOfOthers()
    do {
        let port = try EpollPort()
        let loop = EventLoop(port: port)
        try useFeatures(loop)
        requireOneThread("the features")
        try useThreads(loop)
        let report = loop.shutdown()
        require(report.isClean, "left behind: \(report)")
    } catch {
        say("\(error)")
        exit(1)
    }
    requireOneThread("the end")
    say("one thread")
    exit(0)
}

private func requireOneThread(_ what: String, line: UInt = #line) {
    let names = threadNames { $0.count == 1 }
    require(names == nil, "after \(what) there are these threads: \(names ?? [])", line: line)
}

private func useFeatures(_ loop: EventLoop) throws {
    let value = try loop.run { loop in
        let fibers = (0..<50).map { place in
            loop.spawn(name: "sleeper", priority: place % 2 == 0 ? .high : .low) { loop in
                try await loop.sleep(for: .milliseconds(place % 5), tolerance: .milliseconds(1))
                await Task.yield()
                return place
            }
        }
        var sum = 0
        for fiber in fibers { sum += try await fiber.value }
        requireOneThread("spawn and sleep")
        try await Task.sleep(for: .milliseconds(1), clock: loop.clock)
        do {
            try await loop.timeout(.milliseconds(2)) { try await loop.sleep(for: .seconds(60)) }
            require(false, "no timeout")
        } catch { require(error is TimeoutError, "\(error)") }
        requireOneThread("timeouts")
        let actor = Pinned(loop)
        require(await actor.add(3) == 3, "an actor")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<5 { group.addTask { try? await loop.sleep(for: .milliseconds(1)) } }
        }
        requireOneThread("actors and groups")
        let channel = Channel<Int>(on: loop, capacity: 1)
        let sender = loop.spawn { _ in for number in 1...5 { try await channel.send(number) } }
        for number in 1...5 { require(try await channel.receive() == number, "a channel") }
        try await sender.value
        requireOneThread("channels")
        try await exchange(loop)
        requireOneThread("perform")
        try await useSystem(loop)
        return sum
    }
    require(value == 1_225, "the sum is \(value)")
}

/// A read that waits, and a write that ends it; and one that is cancelled.
private func exchange(_ loop: isolated EventLoop) async throws {
    var ends: (Int32, Int32) = (-1, -1)
    let code = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
        unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, bytes.baseAddress?.assumingMemoryBound(to: Int32.self))
    }
    require(code == 0, "socketpair")
    let (near, far) = ends
    let ops = loop.operations
    let handle = try ops.associate(NativeHandle(rawValue: Int(near)), options: .setNonblocking)
    let writer = loop.spawn { loop in
        try await loop.sleep(for: .milliseconds(1))
        var byte: UInt8 = 7
        _ = unsafe write(far, &byte, 1)
    }
    let outcome = try await ops.perform(on: handle, capacity: 8) { $0.read() }
    require(outcome.copyBytes() == [7], "the bytes")
    let late = try await ops.perform(on: handle, capacity: 8, timeout: .milliseconds(1)) { $0.read() }
    require(late.end == .timedOut, "the read's timeout")
    try await writer.value
    _ = try await ops.awaitRetire(handle)
    close(near)
    close(far)
}

/// Signals, processes, numeric addresses.
private func useSystem(_ loop: isolated EventLoop) async throws {
    let signals = try loop.signals(.user1)
    raise(SIGUSR1)
    require(try await signals.next() == .user1, "the signal")
    signals.end()
    let child = fork7()
    require(try await loop.waitForExit(.id(Int(child)), timeout: .seconds(10)) == .exited(code: 7), "the child's status")
    require(try await loop.resolve("::1", "80").count == 1, "a numeric address")
    requireOneThread("signals, processes, numbers")
}

/// A child that ends with 7.
private func fork7() -> pid_t {
    var id = pid_t()
    let words = ["sh", "-c", "exit 7"]
    let arguments = unsafe words.map { (word: String) in unsafe strdup(word) } + [nil]
    let code = unsafe posix_spawn(&id, "/bin/sh", nil, nil, arguments, environ)
    for index in unsafe arguments.indices { unsafe free(arguments[index]) }
    require(code == 0, "posix_spawn said \(code)")
    return id
}

/// Other threads: a wake from outside, and the pool.
private func useThreads(_ loop: EventLoop) throws {
    let outside = startOutsider(loop)
    try loop.run { loop in
        let work = (0..<20).map { place in loop.spawn { loop in try await loop.offload(name: "some work") { place * 2 } } }
        var sum = 0
        for fiber in work { sum += try await fiber.value }
        require(sum == 380, "the work's sum is \(sum)")
        while !hasLanded.load(ordering: .acquiring) { try await loop.sleep(for: .milliseconds(1)) }
    }
    pthread_join(outside, nil)
    let names = threadNames { names in
        let ours = names.filter { $0 == "portloop-work" }.count
        return (1...4).contains(ours) && names.count == ours + 1
    }
    require(names == nil, "the threads are \(names ?? [])")
}

/// Whether the post from outside has come.
private let hasLanded = Atomic<Bool>(false)

private func startOutsider(_ loop: EventLoop) -> pthread_t {
    var thread = pthread_t()
    let code = unsafe pthread_create(
        &thread, nil,
        { context in
            guard let context = unsafe context else { return nil }
            let loop = unsafe Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue()
            loop.post { _ in hasLanded.store(true, ordering: .releasing) }
            return nil
        }, Unmanaged.passRetained(loop).toOpaque())
    require(code == 0, "pthread_create said \(code)")
    return thread
}

/// An actor of a user's own.
private actor Pinned: OnLoop {
    nonisolated let loop: EventLoop
    private var sum = 0

    init(_ loop: EventLoop) { self.loop = loop }

    func add(_ number: Int) async -> Int {
        try? await loop.sleep(for: .milliseconds(1))
        sum += number
        return sum
    }
}
#endif
