internal import CLoopWin32

/// The console, jobs, and the system's words.
enum SystemCases {
    static let suite = Suite(
        "the system",
        [
            Case("a job's message is a packet whose control block is no pointer") { check throws(Unmet) in
                let port = try RawPort()
                var (made, process) = (0, 0)
                try check.must("a job", unsafe portloop_win32_job_create(&made))
                let job = RawHandle(made)
                try check.must("its port", portloop_win32_job_associate(job.handle, port.handle, 77))
                try check.must("a process", unsafe portloop_win32_process_start_suspended(&process))
                let child = RawHandle(process)
                try check.must("assign", portloop_win32_job_assign(job.handle, child.handle))
                let begun = try port.next("the job's first message")
                check.expectEqual(begun.key, 77, "the key")
                check.expectEqual(begun.bytes, 6, "JOB_OBJECT_MSG_NEW_PROCESS")
                check.expect(begun.block != 0 && begun.block % 4 == 0, "a process's number")
                try check.must("terminate", portloop_win32_job_terminate(job.handle, 1))
                check.expectEqual(portloop_win32_wait(child.handle, 10_000), 0, "it ends")
                let ended = try port.next("the job's next message")
                check.expectEqual(ended.key, 77, "the key")
            },
            Case("a process ends when it is told to") { check throws(Unmet) in
                var process = 0
                try check.must("a process", unsafe portloop_win32_process_start_suspended(&process))
                let child = RawHandle(process)
                check.expectEqual(portloop_win32_wait(child.handle, 0), UInt32(portloop_win32_wait_timeout), "it is there")
                try check.must("terminate", portloop_win32_process_terminate(child.handle, 7))
                check.expectEqual(portloop_win32_wait(child.handle, 10_000), 0, "it ends")
            },
            Case("the output of the program is a handle") { check throws(Unmet) in
                var (output, type) = (0, UInt32(0))
                try check.must("the handle", unsafe portloop_win32_standard_handle(-11, &output))
                try check.must("its type", unsafe portloop_win32_file_type(output, &type))
            },
            Case("who watches the console is told, until he stops") { check throws(Unmet) in
                let port = try RawPort()
                // SAFETY: freed after it has stopped.
                let watch = UnsafeMutablePointer<portloop_win32_console_watch>.allocate(capacity: 1)
                unsafe watch.initialize(to: portloop_win32_console_watch())
                unsafe watch.pointee.port = port.handle
                unsafe watch.pointee.key = 42
                try check.must("start", unsafe portloop_win32_console_watch_start(watch))
                let raised = portloop_win32_console_raise(0)
                let packets = raised == 0 ? port.wait(milliseconds: 5000).packets : []
                try check.must("stop", unsafe portloop_win32_console_watch_stop(watch))
                let again = unsafe portloop_win32_console_watch_stop(watch)
                check.expectEqual(again, UInt32(portloop_win32_not_found), "stopping twice")
                unsafe watch.deallocate()
                if raised != 0 { throw .notApplicable("a system with pseudo-consoles") }
                check.expectEqual(packets.first?.key ?? 0, 42, "the key")
                check.expectEqual(packets.first?.bytes ?? 9, 0, "Ctrl-C")
            },
            Case("a code has the system's words, without a line end") { check throws(Unmet) in
                var (units, length) = ([UInt16](repeating: 0, count: 512), UInt32(0))
                for code: UInt32 in [2, 109, 995, 10054] {
                    let answer = unsafe portloop_win32_error_text(code, &units, 512, &length)
                    check.expectEqual(answer, 0, "code \(code)")
                    let text = plain(units.prefix(Int(length)))
                    check.expect(text.utf8.count > 3 && text.utf8.allSatisfy { $0 >= 32 }, "code \(code) is: \(text)")
                    check.expect(text.utf8.last != UInt8(ascii: " "), "code \(code) ends without a space")
                }
                check.expectEqual(unsafe portloop_win32_error_text(0x2FFF_FFFF, &units, 512, &length), 317, "nobody's code")
                check.expect(unsafe portloop_win32_error_text(2, &units, 4, &length) != 0, "no room")
            },
        ])
}
