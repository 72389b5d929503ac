internal import CLoopWin32
internal import Synchronization

/// Threads of Windows: what wakes a loop from elsewhere.
enum ThreadCases {
    static let suite = Suite(
        "threads",
        [
            Case("a thread runs, ends, and is waited for") { check throws(Unmet) in
                let note = Note()
                let thread = try RawThread { note.value.store(Int(portloop_win32_thread_id()), ordering: .relaxed) }
                try thread.join()
                check.expect(note.value.load(ordering: .relaxed) != 0, "it ran")
                check.expect(note.value.load(ordering: .relaxed) != Int(portloop_win32_thread_id()), "it was another one")
            },
            Case("a packet from another thread ends a wait that blocks") { check throws(Unmet) in
                let port = try RawPort()
                let handle = port.handle
                let never = try Event()
                let began = portloop_win32_clock_nanoseconds()
                let thread = try RawThread {
                    // Long enough that the wait has begun.
                    never.wait(milliseconds: 50)
                    _ = portloop_win32_port_post(handle, 3, 4, nil)
                }
                let packet = try port.next("another thread's post")
                check.expect(portloop_win32_clock_nanoseconds() - began >= 40_000_000, "it blocked meanwhile")
                check.expectEqual(packet.key, 4, "the key")
                check.expectEqual(packet.bytes, 3, "the count")
                try thread.join()
            },
            Case("packets of four threads all arrive, those of each in their order") { check throws(Unmet) in
                let port = try RawPort()
                let handle = port.handle
                var threads: [RawThread] = []
                for key in 0..<4 {
                    threads.append(
                        try RawThread {
                            for number in 0..<500 { _ = portloop_win32_port_post(handle, UInt32(number), UInt(key), nil) }
                        })
                }
                var next: [UInt32] = [0, 0, 0, 0]
                while next.reduce(0, +) < 2000 {
                    let (code, packets) = port.wait(milliseconds: 5000, max: 64)
                    try check.require(code == 0, "a packet is missing")
                    for packet in packets {
                        check.expectEqual(packet.bytes, next[Int(packet.key)], "the next of thread \(packet.key)")
                        next[Int(packet.key)] = packet.bytes + 1
                    }
                }
                for thread in threads { try thread.join() }
                check.expect(port.isEmpty, "and nothing else")
            },
            Case("an event that is set ends a wait for it") { check throws(Unmet) in
                let event = try Event()
                check.expectEqual(event.wait(milliseconds: 0), UInt32(portloop_win32_wait_timeout), "before")
                event.set()
                check.expectEqual(event.wait(milliseconds: 0), 0, "after")
                event.reset()
                check.expectEqual(event.wait(milliseconds: 0), UInt32(portloop_win32_wait_timeout), "after it was taken back")
            },
            Case("a thread has a name") { check throws(Unmet) in
                let code = unsafe portloop_win32_thread_name("portloop".wide)
                if code == UInt32(portloop_win32_proc_not_found) { throw .notApplicable("a system that names threads") }
                check.expectEqual(code, 0, "naming it")
            },
        ])
}

private final class Note: Sendable {
    let value = Atomic(0)
}
