internal import CLoopWin32
internal import LoopCore
internal import LoopSim

// Attempts: an adapter's own non-blocking call, tried when the driver says that it may do something.
extension Win32ReadinessCases {
    static func attempt(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let calls = Found(0)
        let id = try bench.attemptRead(handle, calls)
        bench.check.expectEqual(calls.value, 1, "calls at once")
        for _ in 0..<10 { bench.look() }
        bench.check.expectEqual(calls.value, 1, "calls while there is nothing")
        Win32.send(ends.far.rawValue, [9])
        bench.check.expectEqual(try bench.finish(id).completion.count, 1, "done")
        bench.check.expectEqual(calls.value, 2, "calls in all")

        let cancelled = try bench.attemptRead(handle, calls)
        bench.check.expect(try bench.cancel(cancelled), "it can be asked to end")
        bench.check.expect(try bench.finish(cancelled).completion.severity == .aborted, "aborted")
    }

    static func attemptsInOrder(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let order = Found<[Int]>([])
        var ids: [OperationID] = []
        for place in 0..<5 {
            let id = try bench.prepare(handle)
            try bench.must("attempt") { () throws(OperationError) in
                try bench.ops.attempt(id) { native in
                    guard let bytes = Win32.receive(native.rawValue, max: 1) else { return .wouldBlock(.read) }
                    order.value.append(place)
                    return .done(count: bytes.count)
                }
            }
            ids.append(id)
        }
        for byte in 0..<5 {
            Win32.send(ends.far.rawValue, [UInt8(byte)])
            bench.check.expectEqual(try bench.finish(ids[byte]).completion.count, 1, "attempt \(byte)")
        }
        bench.check.expect(order.value == [0, 1, 2, 3, 4], "the order")
    }

    static func attemptsBothWays(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let reading = try bench.attemptRead(handle, Found(0))
        var (filled, writing) = (try bench.fill(handle), try bench.attemptWrite(handle))
        bench.look()
        // The kernel may have moved bytes to the other end meanwhile: then the attempt is done, and is another byte to fill it with.
        for _ in 0..<50 where bench.phase(writing) != .submitted {
            filled += try bench.finish(writing).completion.count + bench.fill(handle)
            writing = try bench.attemptWrite(handle)
            bench.look()
        }
        bench.check.expect(bench.phase(writing) == .submitted, "there is no room")
        Win32.send(ends.far.rawValue, [1])
        bench.check.expectEqual(try bench.finish(reading).completion.count, 1, "read")
        try bench.empty(ends.far, until: filled)
        bench.check.expectEqual(try bench.finish(writing).completion.count, 1, "written")
    }

    static func attemptFromWithin(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let victim = try bench.attemptRead(handle, Found(0))
        let (inner, outer) = (Found<OperationID?>(nil), try bench.prepare(handle))
        let hasRun = Found(0)
        try bench.must("attempt") { () throws(OperationError) in
            try bench.ops.attempt(outer) { native in
                hasRun.value += 1
                guard hasRun.value > 1 else { return .wouldBlock(.write) }
                _ = try? bench.ops.cancel(victim)
                do throws(Unmet) { inner.value = try bench.read(handle, capacity: 1) } catch { return .failed(SystemCode(rawValue: 1)) }
                return .done(count: 0)
            }
        }
        try bench.turn(until: "the second call") { hasRun.value == 2 }
        bench.check.expect(try bench.finish(victim).completion.severity == .aborted, "the one it cancelled")
        bench.check.expect(try bench.finish(outer).completion.severity == .success, "itself")
        let read = try bench.check.must("the read it submitted", inner.value)
        Win32.send(ends.far.rawValue, [3])
        bench.check.expect(try bench.finish(read).bytes == [3], "its byte")

        let last = try bench.prepare(handle)
        let report = Found<RetireReport?>(nil)
        try bench.must("attempt") { () throws(OperationError) in
            try bench.ops.attempt(last) { _ in
                _ = try? bench.ops.retire(handle) { report.value = $0 }
                return .wouldBlock(.read)
            }
        }
        try bench.turn(until: "the retirement") { report.value != nil }
        bench.check.expect(try bench.finish(last).completion.severity == .aborted, "the one that retired its own handle")
    }

    static func attemptOnPipe(_ bench: Win32Bench) throws(Unmet) {
        let (handle, _) = try bench.pipe()
        let id = try bench.prepare(handle)
        try bench.must("attempt") { () throws(OperationError) in try bench.ops.attempt(id) { _ in .wouldBlock(.read) } }
        let completion = try bench.finish(id).completion
        bench.check.expectEqual(completion.error.rawValue, 50, "the code")
        bench.check.expect(completion.severity == .error, "a failure")
    }
}

extension Win32Bench {
    /// An attempt that reads one byte, and counts how often it was called.
    func attemptRead(_ handle: AssociatedHandle, _ calls: Found<Int>) throws(Unmet) -> OperationID {
        let id = try prepare(handle)
        try must("attempt") { () throws(OperationError) in
            try ops.attempt(id) { native in
                calls.value += 1
                guard let bytes = Win32.receive(native.rawValue, max: 1) else { return .wouldBlock(.read) }
                return .done(count: bytes.count)
            }
        }
        return id
    }

    /// An attempt that writes one byte.
    func attemptWrite(_ handle: AssociatedHandle) throws(Unmet) -> OperationID {
        let id = try prepare(handle)
        try must("attempt") { () throws(OperationError) in
            try ops.attempt(id) { native in
                var count: UInt32 = 0
                // SAFETY: one byte of an array's own.
                let code = unsafe portloop_win32_socket_send_now(native.rawValue, [7], 1, 0, &count)
                return code == UInt32(portloop_win32_would_block) ? .wouldBlock(.write) : .done(count: Int(count))
            }
        }
        return id
    }
}
