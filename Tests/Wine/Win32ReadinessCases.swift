internal import CLoopWin32
internal import LoopCore
internal import LoopSim

/// Readiness of sockets, and attempts: what the port makes of the driver's answers.
enum Win32ReadinessCases {
    static var suite: Suite {
        Suite(
            "the Windows port: readiness",
            on: [
                Win32Case("all who wait on a socket share one question to the driver", coalesced),
                Win32Case("a wider interest takes the question back and asks anew", wider),
                Win32Case("a narrower interest that is left leaves the question alone, and is answered when its time comes", narrower),
                Win32Case("who comes while an answer is on its way is not told what was true before", stale),
                Win32Case("a question that nobody waits for any more is answered to nobody", abandoned),
                Win32Case("a socket that is closed ends every wait on it as aborted", localClose),
                Win32Case("a peer that ends and a peer that resets are seen by who waits to read", ends),
                Win32Case("a listener is readable when somebody has come", listener),
                Win32Case("a pipe can be waited for to read, and not to write", pipes),
                Win32Case("a handle without readiness refuses a poll", refused),
                Win32Case("a thousand polls that are answered at once give a packet each", manyPolls),
                Win32Case("an attempt is tried at once, and again when the driver says so", attempt),
                Win32Case("attempts of one direction are done in the order they came", attemptsInOrder),
                Win32Case("attempts of both directions do not wait for each other", attemptsBothWays),
                Win32Case("an attempt may submit, cancel and retire from within its function", attemptFromWithin),
                Win32Case("an attempt that would block on what is no socket fails", attemptOnPipe),
            ])
    }

    private static func coalesced(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        var ids: [OperationID] = []
        for _ in 0..<100 { ids.append(try bench.poll(handle, .readable)) }
        bench.check.expectEqual(bench.readinessRequests, 1, "questions for a hundred who wait")
        Win32.send(ends.far.rawValue, [1])
        for id in ids { bench.check.expectEqual(try bench.finish(id).completion.count, 1, "readable") }
        // Those who came behind the question are asked for once more, all together.
        bench.check.expect(bench.readinessRequests <= 2, "questions in all: \(bench.readinessRequests)")
        bench.check.expectEqual(bench.counts.packets, 100, "packets")
    }

    private static func wider(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let reading = try bench.poll(handle, .readable)
        bench.look()
        let writing = try bench.poll(handle, .writable)
        bench.check.expectEqual(try bench.finish(writing).completion.count, 2, "there is room to write")
        bench.check.expect(bench.phase(reading) == .submitted, "nothing to read")
        bench.check.expectEqual(bench.readinessRequests, 3, "questions: to read, for both, and to read again")
        Win32.send(ends.far.rawValue, [1])
        bench.check.expectEqual(try bench.finish(reading).completion.count, 1, "readable")
        bench.look()
        bench.check.expectEqual(bench.readinessRequests, 3, "no question for nobody")
    }

    private static func narrower(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        var filled = 0
        // A try in which the kernel finds room after all, and so answers the wider one, teaches nothing: what stays open is asked of many.
        for _ in 0..<50 {
            filled += try bench.fill(handle)
            let before = bench.readinessRequests
            let both = try bench.poll(handle, [.readable, .writable])
            bench.look()
            let reading = try bench.poll(handle, .readable)
            try bench.cancel(both)
            let wasCancelled = try bench.finish(both).completion.severity == .aborted
            if wasCancelled, bench.readinessRequests == before + 1 {
                return try answered(bench, reading, ends.far, filled: filled)
            }
            try bench.cancel(reading)
            _ = try bench.finish(reading)
        }
        bench.check.fail("in none of 50 tries was the wider one cancelled, and one question asked")
    }

    /// Room to write comes first, which nobody waits for; then what the one that was left waits for.
    private static func answered(_ bench: Win32Bench, _ reading: OperationID, _ far: NativeHandle, filled: Int) throws(Unmet) {
        try bench.empty(far, until: filled)
        bench.look()
        bench.check.expect(bench.phase(reading) == .submitted, "nothing to read")
        Win32.send(far.rawValue, [1])
        bench.check.expectEqual(try bench.finish(reading).completion.count, 1, "readable")
    }

    private static func stale(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let first = try bench.poll(handle, .readable)
        bench.look()
        try bench.cancel(first)
        _ = try bench.finish(first)
        Win32.send(ends.far.rawValue, [1])
        // The answer for the first lies in the queue, and the byte is gone before it is looked at.
        var bytes: [UInt8]?
        while bytes == nil { bytes = Win32.receive(ends.near.rawValue, max: 1) }
        let second = try bench.poll(handle, .readable)
        for _ in 0..<20 { bench.look() }
        bench.check.expect(bench.phase(second) == .submitted, "there is nothing to read")
        Win32.send(ends.far.rawValue, [2])
        bench.check.expectEqual(try bench.finish(second).completion.count, 1, "readable")
    }

    private static func abandoned(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        for _ in 0..<50 {
            let id = try bench.poll(handle, .readable)
            try bench.cancel(id)
            _ = try bench.finish(id)
        }
        bench.check.expectEqual(bench.readinessRequests, 1, "questions for fifty who came and went")
        Win32.send(ends.far.rawValue, [1])
        for _ in 0..<20 { bench.look() }
        bench.check.expectEqual(bench.counts.packets, 50, "packets")
        bench.check.expectEqual(bench.readinessRequests, 1, "questions")
    }

    private static func localClose(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let ids = [try bench.poll(handle, .readable), try bench.poll(handle, .priority)]
        bench.look()
        bench.close(ends.near)
        for id in ids { bench.check.expect(try bench.finish(id, "the end").completion.severity == .aborted, "aborted") }
        try bench.retire(handle)
    }

    private static func ends(_ bench: Win32Bench) throws(Unmet) {
        let (ended, first) = try bench.tcp()
        let waiting = try bench.poll(ended, .readable)
        bench.look()
        bench.close(first.far)
        let end = Readiness(rawValue: UInt8(try bench.finish(waiting).completion.count))
        bench.check.expect(end.contains(.readable), "the end is there to be read")

        let (broken, second) = try bench.tcp()
        let watching = try bench.poll(broken, .readable)
        bench.look()
        bench.abort(second.far)
        let reset = Readiness(rawValue: UInt8(try bench.finish(watching).completion.count))
        bench.check.expect(!reset.isDisjoint(with: [.readable, .hangup, .failed]), "a reset is seen")
    }

    private static func listener(_ bench: Win32Bench) throws(Unmet) {
        let listener = Win32.listener()
        let handle = try bench.associate(listener)
        let id = try bench.poll(handle, .readable)
        bench.look()
        bench.check.expect(bench.phase(id) == .submitted, "nobody has come")
        let client = Win32.socket(portloop_win32_stream)
        bench.keep(client)
        Win32.connect(client, to: listener)
        bench.check.expectEqual(try bench.finish(id).completion.count, 1, "somebody has")
    }

    private static func pipes(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.pipe()
        let id = try bench.poll(handle, .readable)
        bench.look()
        bench.check.expect(bench.phase(id) == .submitted, "nothing to read")
        Win32.write(ends.far.rawValue, [1, 2])
        bench.check.expectEqual(try bench.finish(id).completion.count, 1, "readable")
        bench.check.expect(try bench.finish(try bench.read(handle)).bytes == [1, 2], "no byte was taken")
        let ended = try bench.poll(handle, .readable)
        bench.close(ends.far)
        let end = Readiness(rawValue: UInt8(try bench.finish(ended).completion.count))
        bench.check.expect(end == [.readable, .hangup], "the end")
        try bench.expectRefusal(handle, .writable)
        try bench.expectRefusal(handle, [.readable, .writable])
    }

    private static func refused(_ bench: Win32Bench) throws(Unmet) {
        let directory = Win32.open(
            Win32.wide(Win32.temporaryFolder), access: 1, disposition: Win32.openExisting, flags: 0x0200_0000 | Win32.overlappedFlag)
        try bench.expectRefusal(try bench.associate(directory), .readable)
        try bench.expectRefusal(try bench.associate(Win32.temporaryFile()), .priority)
    }

    private static func manyPolls(_ bench: Win32Bench) throws(Unmet) {
        let (handle, _) = try bench.tcp()
        for _ in 0..<1000 { bench.check.expectEqual(try bench.finish(try bench.poll(handle, .writable)).completion.count, 2, "writable") }
        bench.check.expectEqual(bench.counts.packets, 1000, "packets")
        bench.check.expectEqual(bench.readinessRequests, 1000, "questions")
    }
}

extension Win32Bench {
    /// Writes to a socket until it takes no more. How many bytes it took.
    func fill(_ handle: AssociatedHandle) throws(Unmet) -> Int {
        var (filled, count, refusals) = (0, UInt32(0), 0)
        let bytes = [UInt8](repeating: 1, count: 1 << 14)
        // Between two refusals the kernel may move bytes to the other end, and there is room again.
        while refusals < 10 {
            // SAFETY: the array's own bytes and count.
            if unsafe portloop_win32_socket_send_now(handle.native.rawValue, bytes, UInt32(bytes.count), 0, &count) == 0 {
                filled += Int(count)
                refusals = 0
            } else {
                refusals += 1
                settle()
            }
        }
        return filled
    }

    func empty(_ socket: NativeHandle, until count: Int) throws(Unmet) {
        var left = count
        let bound = loop.now.advanced(by: 2_000_000_000)
        while left > 0 {
            left -= Win32.receive(socket.rawValue, max: 1 << 16)?.count ?? 0
            if loop.now > bound { throw .failed("\(left) of \(count) bytes never came") }
        }
    }

    func expectRefusal(_ handle: AssociatedHandle, _ interest: Readiness) throws(Unmet) {
        let id = try prepare(handle)
        do throws(OperationError) {
            try ops.poll(id, interest)
            check.fail("a poll for \(interest.rawValue) was not refused")
        } catch { check.expect(error == .refused(SystemCode(rawValue: 50)), "the reason: \(error.words)") }
    }
}
