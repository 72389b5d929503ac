internal import CLoopWin32
internal import LoopCore
internal import LoopSim
internal import LoopWin32

/// What comes out of the kernel's queue: whose packets, with which status.
enum Win32PacketCases {
    static var suite: Suite {
        Suite(
            "the Windows port: packets",
            on: [
                Win32Case("a stranger's packet is counted, and its pointer is not followed", stranger),
                Win32Case("a packet with our key and an address of nobody's is counted, and not followed", unknownAddress),
                Win32Case("a packet that was posted for an operation in flight changes nothing", forged),
                Win32Case("a packet that was posted with the key of readiness changes nothing", forgedReadiness),
                Win32Case("a job's packets are a stranger's: where the pointer would be stands a process number", job),
                Win32Case("STATUS_TIMEOUT is a success, with its raw status beside it", timeout),
                longMessage, longDatagram, abortedWrite,
                Win32Case("a write to a pipe that is cancelled after a part was read counts that part", abortedPipeWrite),
                Win32Case("ERROR_PIPE_CONNECTED owes no packet, and pending owes one", pipeConnected),
                Win32Case("a read past the end of a file is the end to a verb, and error 38 to a native call", endOfFile),
                Win32Case("a read of a pipe whose other end is gone is the end to a verb, and error 109 to a native call", brokenPipe),
                Win32Case("a reset is 10054 on a socket, and not the 64 of a file", reset),
                Win32Case("a native call on a socket has Winsock's codes too", nativeReset),
                Win32Case("a handle that is closed with operations in flight gives each its one packet", closedInFlight),
            ])
    }

    // SAFETY: nobody follows the pointers that the forged packets carry; here and below.
    private static func stranger(_ bench: Win32Bench) throws(Unmet) {
        let nowhere = unsafe UnsafeMutablePointer<portloop_win32_overlapped>(bitPattern: 0x10)
        for key in [UInt(0), 7, .max] { _ = unsafe portloop_win32_port_post(bench.nativePort, 5, key, nowhere) }
        bench.look()
        bench.check.expectEqual(bench.counts.foreignPackets, 3, "foreign packets")
        bench.check.expectEqual(bench.counts.stalePackets, 0, "stale packets")
    }

    private static func unknownAddress(_ bench: Win32Bench) throws(Unmet) {
        for address in [0x10, 0x7FFF_0000_0040, 0] {
            let nowhere = unsafe UnsafeMutablePointer<portloop_win32_overlapped>(bitPattern: address)
            _ = unsafe portloop_win32_port_post(bench.nativePort, 5, UInt(PacketKey.operation.rawValue), nowhere)
        }
        // The checked port calls one of them what it is: a packet of ours without a control block.
        bench.toleratesBreaches = true
        bench.look()
        bench.check.expectEqual(bench.counts.stalePackets, 3, "stale packets")
        bench.check.expectEqual(bench.counts.packets, 0, "packets")
    }

    private static func forged(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let (id, block) = try bench.nativeReceive(handle)
        let address = unsafe UnsafeMutablePointer<portloop_win32_overlapped>(bitPattern: block)
        bench.toleratesBreaches = true
        for _ in 0..<3 { _ = unsafe portloop_win32_port_post(bench.nativePort, 64, UInt(PacketKey.operation.rawValue), address) }
        bench.look()
        bench.check.expect(bench.phase(id) == .submitted, "the operation goes on")
        bench.check.expectEqual(bench.counts.stalePackets, 3, "stale packets")
        Win32.send(ends.far.rawValue, [1, 2])
        bench.check.expect(try bench.finish(id).bytes == [1, 2], "its own packet ends it")
    }

    private static func forgedReadiness(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let id = try bench.poll(handle, .readable)
        let nowhere = unsafe UnsafeMutablePointer<portloop_win32_overlapped>(bitPattern: 0x40)
        let ascii = "PORTPOLL".utf8.reduce(UInt(0)) { $0 << 8 | UInt($1) }
        _ = unsafe portloop_win32_port_post(bench.nativePort, 1, ascii, nowhere)
        bench.look()
        bench.check.expectEqual(bench.counts.foreignPackets, 1, "foreign packets")
        bench.check.expect(bench.phase(id) == .submitted, "who waits goes on waiting")
        Win32.send(ends.far.rawValue, [1])
        bench.check.expectEqual(try bench.finish(id).completion.count, 1, "readable")
    }

    private static func job(_ bench: Win32Bench) throws(Unmet) {
        var (job, process) = (0, 0)
        try bench.check.must("a job", unsafe portloop_win32_job_create(&job))
        bench.keep(job)
        // The worst of keys: our own for operations.
        try bench.check.must("its port", portloop_win32_job_associate(job, bench.nativePort, UInt(PacketKey.operation.rawValue)))
        try bench.check.must("a process", unsafe portloop_win32_process_start_suspended(&process))
        bench.keep(process)
        try bench.check.must("assign", portloop_win32_job_assign(job, process))
        bench.toleratesBreaches = true
        try bench.turn(until: "the job's packet") { bench.counts.stalePackets > 0 }
        try bench.check.must("terminate", portloop_win32_job_terminate(job, 1))
        try bench.check.must("the end of the process", portloop_win32_wait(process, 5000))
        bench.look()
        bench.check.expectEqual(bench.counts.packets, 0, "packets")
    }

    /// A question to the driver of sockets whose own time limit passes: the one operation that ends so without a serial port.
    private static func timeout(_ bench: Win32Bench) throws(Unmet) {
        let ends = bench.keep(Win32.tcpPair())
        var (helper, socket) = (0, 0)
        try bench.check.must("the driver", unsafe portloop_win32_poll_open(&helper))
        try bench.check.must("the socket", unsafe portloop_win32_poll_base_socket(ends.near.rawValue, &socket))
        let handle = try bench.associate(helper)
        let id = try bench.native(handle) { lent in
            let poll = unsafe lent.buffer.assumingMemoryBound(to: portloop_win32_poll.self)
            let entry = portloop_win32_poll_socket(socket: socket, events: UInt32(portloop_win32_poll_receive), status: 0)
            unsafe poll.baseAddress?.initialize(to: portloop_win32_poll(timeout: -10_000, count: 1, is_exclusive: 0, entry: entry))
            return unsafe portloop_win32_poll_submit(helper, poll.baseAddress, lent.overlapped)
        }
        let completion = try bench.finish(id, "the driver's time limit").completion
        bench.check.expect(completion.severity == .success && completion.error == .none, "a success without a code")
        bench.check.expectEqual(completion.status.rawValue, 0x102, "the raw status")
    }

    private static func pipeConnected(_ bench: Win32Bench) throws(Unmet) {
        let (early, earlyName) = Win32.pipeServer()
        let first = try bench.associate(early)
        bench.keep(Win32.pipeClient(earlyName))
        let done = try bench.native(first) { lent in unsafe portloop_win32_pipe_connect(early, lent.overlapped) }
        bench.check.expect(bench.phase(done) == .completed, "there at once, without a packet")
        bench.check.expect(try bench.finish(done).completion == Completion(count: 0), "a success")

        let (late, lateName) = Win32.pipeServer()
        let second = try bench.associate(late)
        let waiting = try bench.native(second) { lent in unsafe portloop_win32_pipe_connect(late, lent.overlapped) }
        bench.look()
        bench.check.expect(bench.phase(waiting) == .submitted, "nobody has come")
        bench.keep(Win32.pipeClient(lateName))
        bench.check.expect(try bench.finish(waiting).completion.severity == .success, "somebody has")
        bench.check.expectEqual(bench.counts.packets, 1, "packets")
        bench.check.expectEqual(bench.counts.stalePackets, 0, "packets nobody owed")
    }
}
