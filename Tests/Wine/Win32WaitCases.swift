internal import CLoopWin32
internal import LoopCore
internal import LoopSim
internal import LoopWin32
internal import Synchronization

/// Waiting, waking, and the end of a port.
enum Win32WaitCases {
    static var suite: Suite {
        Suite(
            "the Windows port: waits",
            on: [
                realWake,
                Win32Case("what another thread posts while the loop is busy is not lost", manyPosts),
                Win32Case("a wake after the loop has ended is harmless", lateWake),
                Win32Case("a wait of less than a millisecond ends soon after its time", shortWaits),
                Win32Case("a wait in the last millisecond is one wait and not a thousand", noSpin),
                Win32Case("a wait to the end of time is ended by a packet", longWait),
                Win32Case("somebody else's alertable wait takes the timer's call, and the wait ends all the same", stolenCall),
                Win32Case("packets of the port's own and of the kernel's share a batch", sharedBatch),
                Win32Case("a batch with room left means that nothing more was finished, behind wakes too", shortBatch),
                Win32Case("a loop that ends with readiness asked for ends at once, and closes what it opened", endWithPolls),
                Win32Case("a loop that ends with an accept and a read in flight has reaped them", endWithOperations),
                Win32Case("an idle loop asks the kernel once", idle),
            ])
    }

    static var realWake: Win32Case {
        Win32Case("a real thread wakes the loop, each time") { bench throws(Unmet) in
            for round in 1...20 {
                let began = bench.loop.now
                let poster = try Poster(bench.loop, posts: 1, hesitates: true)
                try poster.join(bench, "the post of round \(round)")
                // Without the wake it would be the two seconds that the bench waits at most.
                try bench.check.require(bench.loop.now.nanoseconds(since: began) < 1_000_000_000, "round \(round) was not woken")
            }
            bench.check.expect(bench.ops.metrics.wakeUps > 10, "the loop slept and was woken")
        }
    }

    private static func manyPosts(_ bench: Win32Bench) throws(Unmet) {
        let posters = [try Poster(bench.loop, posts: 5_000), try Poster(bench.loop, posts: 5_000)]
        for poster in posters { try poster.join(bench, "the posts") }
        bench.check.expectEqual(posters[0].arrived + posters[1].arrived, 10_000, "posts that ran")
    }

    private static func lateWake(_ bench: Win32Bench) throws(Unmet) {
        do throws(Win32PortError) {
            let port = try Win32Port()
            let waker = port.waker
            port.close()
            bench.check.expect(waker.wake(), "the port's queue is as long-lived as its waker")
            bench.check.expect(waker.currentThread() == UInt(portloop_win32_thread_id()), "and it knows its thread")
        } catch { throw .failed("no port") }
    }

    private static func shortWaits(_ bench: Win32Bench) throws(Unmet) {
        var lateness: [UInt64] = []
        for _ in 0..<20 {
            let bound = bench.loop.now.advanced(by: 300_000)
            while bench.loop.now < bound { bench.loop.turn(.until(bound)) }
            lateness.append(bench.loop.now.nanoseconds(since: bound))
        }
        // Windows 10 keeps such a bound to within 0.5 ms, by its high-resolution timer. Wine's timers end at whole milliseconds, and so
        // does everything that waits for them.
        let median = lateness.sorted()[lateness.count / 2]
        bench.check.expect(median < 2_000_000, "the median is late by \(median) ns")
    }

    private static func noSpin(_ bench: Win32Bench) throws(Unmet) {
        let before = bench.ops.metrics.port.kernelWaits
        let bound = bench.loop.now.advanced(by: 10_400_000)
        while bench.loop.now < bound { bench.loop.turn(.until(bound)) }
        let waits = bench.ops.metrics.port.kernelWaits - before
        bench.check.expect(waits <= 10, "waits for 10.4 ms: \(waits)")
    }

    private static func longWait(_ bench: Win32Bench) throws(Unmet) {
        let poster = try Poster(bench.loop, posts: 1)
        bench.loop.turn(.until(MonotonicInstant(nanoseconds: .max)))
        try poster.join(bench, "the post")
    }

    private static func stolenCall(_ bench: Win32Bench) throws(Unmet) {
        let bound = bench.loop.now.advanced(by: 30_000_000)
        let other = try RawPort()
        // The loop arms its timer; the bytes end its wait; and the timer's call comes in the wait below.
        let (handle, ends) = try bench.tcp()
        let id = try bench.read(handle)
        Win32.send(ends.far.rawValue, [1])
        while bench.phase(id) == .submitted { bench.loop.turn(.until(bound)) }
        _ = other.wait(milliseconds: 40, isAlertable: true)
        let next = bench.loop.now.advanced(by: 5_000_000)
        while bench.loop.now < next { bench.loop.turn(.until(next)) }
        bench.check.expect(bench.loop.now.nanoseconds(since: next) < 200_000_000, "the next wait ends")
        _ = try bench.finish(id)
    }

    private static func sharedBatch(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        var remotes: [OperationID] = []
        let held = Found<[RemoteCompletion]>([])
        for _ in 0..<300 {
            remotes.append(
                try bench.must("a remote operation") { () throws(OperationError) in
                    try bench.ops.perform(on: handle) { op in
                        op.remote { held.value.append($0) }
                    } completed: { _, _ in
                    }
                })
        }
        let reading = try bench.read(handle)
        Win32.send(ends.far.rawValue, [1])
        for remote in held.value { remote.complete(count: 1) }
        // The queue of the port's own packets is long, and the kernel's is in the first batches all the same.
        for _ in 0..<3 { bench.settle() }
        bench.check.expect(bench.phase(reading) == .completed, "the read is not kept waiting")
        _ = try bench.finish(reading)
        for id in remotes { bench.check.expectEqual(try bench.finish(id).completion.count, 1, "a remote completion") }
    }

    // SAFETY: the batch is this call's, and is freed when nobody fills it any more; the key is a stranger's, who has no block.
    private static func shortBatch(_ bench: Win32Bench) throws(Unmet) {
        do throws(Win32PortError) {
            let port = try Win32Port()
            let batch = UnsafeMutableBufferPointer<Packet>.allocate(capacity: 4)
            defer { unsafe batch.deallocate() }
            for wakes in 0...4 {
                for _ in 0..<wakes { bench.check.expect(port.waker.wake(), "a wake") }
                for _ in 0..<6 { bench.check.expectEqual(portloop_win32_port_post(port.nativePort, 0, 77, nil), 0, "a post") }
                bench.check.expectEqual(unsafe port.wait(into: batch, for: .poll), 4, "packets behind \(wakes) wakes")
                bench.check.expectEqual(unsafe port.wait(into: batch, for: .poll), 2, "what is left of them")
            }
            port.close()
        } catch { throw .failed("no port") }
    }

    private static func endWithPolls(_ bench: Win32Bench) throws(Unmet) {
        let other = try Win32Bench(bench.check)
        let ends = bench.keep(Win32.tcpPair())
        let handle = try other.associate(ends.near)
        for _ in 0..<10 { _ = try other.poll(handle, .readable) }
        other.look()
        let began = bench.loop.now
        other.end()
        bench.check.expect(bench.loop.now.nanoseconds(since: began) < 100_000_000, "at once")
    }

    private static func endWithOperations(_ bench: Win32Bench) throws(Unmet) {
        let other = try Win32Bench(bench.check)
        let ends = bench.keep(Win32.tcpPair())
        _ = try other.read(try other.associate(ends.near))
        let listening = try other.associate(bench.keep(Win32.listener()))
        let id = try other.prepare(listening)
        try other.must("accept") { () throws(OperationError) in try other.ops.accept(id) }
        other.look()
        other.end()
        bench.check.expectEqual(Int(other.ops.metrics.operations.leaked), 0, "leaked operations")
    }

    private static func idle(_ bench: Win32Bench) throws(Unmet) {
        bench.settle()
        let before = bench.ops.metrics.port.kernelWaits
        bench.loop.turn(until: bench.loop.now.advanced(by: 60_000_000))
        bench.check.expect(bench.ops.metrics.port.kernelWaits - before <= 2, "looks at the kernel in 60 ms")
    }
}

/// A thread that posts to a loop, and what has arrived there.
final class Poster: Sendable {
    private let count = Atomic<Int>(0)
    private let loop: EventLoop
    private let posts: Int
    private let hesitates: Bool
    private let thread = Atomic<Int>(0)

    /// A thread that hesitates finds the loop asleep.
    init(_ loop: EventLoop, posts: Int, hesitates: Bool = false) throws(Unmet) {
        self.loop = loop
        self.posts = posts
        self.hesitates = hesitates
        var started = 0
        // SAFETY: the thread takes the reference over.
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let code = unsafe portloop_win32_thread_start(
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Poster>.fromOpaque(context).takeRetainedValue().run()
            }, context, &started)
        if code != 0 { throw .failed("no thread: error \(code)") }
        thread.store(started, ordering: .relaxed)
    }

    var arrived: Int { count.load(ordering: .relaxed) }

    private func run() {
        if hesitates {
            let never = Win32.event()
            _ = portloop_win32_wait(never, 5)
            Win32.closeHandle(never)
        }
        for _ in 0..<posts { loop.post { [self] _ in count.add(1, ordering: .relaxed) } }
    }

    /// Turns the loop until everything has arrived.
    func join(_ bench: Win32Bench, _ what: String) throws(Unmet) {
        try bench.turn(until: what) { arrived == posts }
        let handle = thread.load(ordering: .relaxed)
        try bench.check.must("the end of the thread", portloop_win32_wait(handle, 5000))
        Win32.closeHandle(handle)
    }
}
