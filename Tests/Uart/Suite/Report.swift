#if PORTLOOP_LINUX
import Glibc
import LoopCore
import LoopEpoll

/// Runs cases and says what came of them.
enum Report {
    /// A case is stuck when it runs for longer. Each of its waits has a bound of its own besides.
    static let caseBound = Duration.seconds(30)

    /// The program's status: 0 if no case failed.
    static func run(_ cases: [Case]) -> Int32 {
        var (passed, failed) = (0, 0)
        for test in cases {
            do {
                let began = MonotonicClock.now
                try run(test)
                passed += 1
                Console.say("passed: \(test.name) (\((MonotonicClock.now - began) / 1_000_000) ms)")
            } catch {
                failed += 1
                Console.say("FAILED: \(test.name)\n    \(error)")
            }
        }
        Console.say("\(passed) passed, \(failed) failed")
        return failed == 0 && passed > 0 ? 0 : 1
    }

    /// Nothing may be in flight afterwards, and no descriptor open that was not before.
    private static func run(_ test: Case) throws {
        try runOnLoop(Case("the machine is whole", Bench.isWhole))
        let before = Descriptors.count
        try runOnLoop(test)
        // A helper thread of the loop's lets go of it when it ends, which may be a moment after the loop.
        for _ in 0..<2_000 where Descriptors.count > before { _ = poll(nil, 0, 1) }
        let after = Descriptors.count
        try expect(after == before, "\(after - before) descriptors were left open: \(Descriptors.targets)")
    }

    private static func runOnLoop(_ test: Case) throws {
        let loop = EventLoop(port: try EpollPort())
        let outcome: Result<Void, any Error> = loop.run { loop async in
            do {
                return .success(try await loop.timeout(caseBound) { try await test.body(loop) })
            } catch {
                return .failure(error)
            }
        }
        let report = loop.shutdown()
        try outcome.get()
        try expect(report.operations.isEmpty, "operations were left in flight: \(report.operations)")
    }
}

/// What this process has open.
enum Descriptors {
    static var count: Int { names.count }

    static var targets: [String] { names.compactMap { link("/proc/self/fd/\($0)") } }

    // SAFETY: an entry lives until the next is read, and its name ends with a NUL.
    private static var names: [String] {
        guard let directory = unsafe opendir("/proc/self/fd") else { return [] }
        defer { unsafe closedir(directory) }
        var found: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if Int32(name) != nil { found.append(name) }
        }
        return found
    }

    // SAFETY: as many bytes are taken as the call says it wrote.
    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBufferPointer { room in
            guard let place = room.baseAddress else { return -1 }
            return unsafe readlink(path, place, room.count)
        }
        return count < 0 ? nil : String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The guest's clock, for what a case took.
enum MonotonicClock {
    // SAFETY: the structure is this call's.
    static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
#endif
