import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: files", .ownDescriptors) struct FileTests {
    @Test("A file is written and read at offsets, in any order")
    func offsets() throws {
        let bench = try PortBench()
        let near = try bench.associate(OpenFile(path: path.text, O_RDWR | O_CREAT))
        let writes = (0..<8).map { Lent([UInt8](repeating: UInt8($0), count: 1000)) }
        for (index, write) in writes.enumerated().reversed() {
            #expect(
                bench.start(write, on: near, inline: .allowed) { $0.write($1, count: 1000, at: FileOffset(UInt64(index) * 1000)) }
                    == .owesPacket)
        }
        #expect(bench.packets(8).allSatisfy { $0.completion == Completion(count: 1000) })
        let read = Lent(capacity: 3000)
        bench.start(read, on: near) { $0.read($1, at: FileOffset(2500)) }
        #expect(bench.packet(of: read) == Completion(count: 3000))
        #expect(read.bytes(3000) == (2500..<5500).map { UInt8($0 / 1000) })
        bench.start(read, on: near) { $0.read($1, at: FileOffset(7999)) }
        #expect(bench.packet(of: read) == Completion(count: 1), "as much as there is")
        bench.start(read, on: near) { $0.read($1, at: FileOffset(8000)) }
        #expect(bench.packet(of: read) == Completion(count: 0), "the end")
        bench.end()
    }

    @Test("What a thread has finished is handed out beside what lies ready, and does not wait for the next look at the kernel")
    func finishedBesideReady() throws {
        let bench = try PortBench()
        let near = try bench.associate(OpenFile(path: path.text, O_RDWR | O_CREAT))
        let (write, posted) = (Lent([1, 2, 3]), Lent(capacity: 0))
        bench.start(write, on: near) { $0.write($1, count: 3, at: FileOffset(0)) }
        var wanted = pollfd(fd: Int32(try #require(bench.port.pollableHandle).rawValue), events: Int16(POLLIN), revents: 0)
        unsafe #expect(poll(&wanted, 1, 120_000) == 1)
        bench.post(posted, Completion(count: 0))
        #expect(Set(bench.wait(.poll).map(\.lent.address)) == [write.address, posted.address])
        bench.end()
    }

    @Test("Operations without an offset take turns at the file's position", arguments: [O_RDWR, O_RDWR | O_APPEND])
    func position(_ flags: Int32) throws {
        let bench = try PortBench()
        let file = OpenFile(path: path.text, flags | O_CREAT)
        let near = try bench.associate(file)
        let writes = (0..<50).map { Lent([UInt8($0), UInt8($0)]) }
        for write in writes { bench.start(write, on: near) { $0.write($1, count: 2, at: nil) } }
        #expect(bench.packets(50).map(\.lent.address) == writes.map(\.address))
        lseek(file.fd, 0, SEEK_SET)
        let reads = (0..<10).map { _ in Lent(capacity: 10) }
        for read in reads { bench.start(read, on: near) { $0.read($1, at: nil) } }
        let found = bench.packets(10)
        #expect(found.flatMap { $0.lent.bytes($0.completion.count) } == (0..<100).map { UInt8($0 / 2) })
        bench.end()
    }

    @Test("A gathered write goes to its offset as one")
    func gathered() throws {
        let bench = try PortBench()
        let file = OpenFile(path: path.text, O_RDWR | O_CREAT)
        let near = try bench.associate(file)
        let write = Lent(Array(0..<20))
        bench.start(write, on: near) { $0.write($1, segments: [10..<13, 0..<2], at: FileOffset(1)) }
        #expect(bench.packet(of: write) == Completion(count: 5))
        #expect(file.readSoon() == [0, 10, 11, 12, 0, 1])
        bench.start(write, on: near) { $0.write($1, segments: [5..<7], at: nil) }
        #expect(bench.packet(of: write) == Completion(count: 2))
        #expect(bench.start(write, on: near) { $0.write($1, segments: [5..<21], at: nil) } == .refused(.number(EINVAL)))
        bench.end()
    }

    @Test("A full device, a descriptor that cannot write and a position below zero are errors of the packet")
    func errors() throws {
        let bench = try PortBench()
        let full = try bench.associate(OpenFile(path: "/dev/full", O_RDWR))
        let write = Lent([1, 2, 3])
        bench.start(write, on: full) { $0.write($1, count: 3, at: nil) }
        let completion = bench.packet(of: write)
        #expect(completion.error == .number(ENOSPC))
        #expect(completion.severity == .error)
        #expect(completion.count == 0)
        OpenFile(path: path.text, O_RDWR | O_CREAT).close()
        let readOnly = try bench.associate(OpenFile(path: path.text, O_RDONLY))
        bench.start(write, on: readOnly) { $0.write($1, count: 3, at: FileOffset(0)) }
        #expect(bench.packet(of: write).error == .number(EBADF))
        bench.start(write, on: readOnly) { $0.read($1, at: FileOffset(.max)) }
        #expect(bench.packet(of: write).error == .number(EINVAL))
        bench.end()
    }

    @Test("A file is always ready, and is no socket")
    func otherVerbs() throws {
        let bench = try PortBench()
        let near = try bench.associate(OpenFile(path: "/dev/null", O_RDWR))
        let lent = Lent([1], address: loopback(port: 1))
        bench.start(lent, on: near) { $0.poll($1, .readable) }
        #expect(bench.packet(of: lent) == Completion(count: Int(Readiness.readable.rawValue)))
        for verb in [
            { (port: EpollPort, request: PortRequest) in port.receive(request) }, { $0.send($1, count: 1) }, { $0.accept($1) },
            { $0.connect($1) },
        ] {
            bench.start(lent, on: near, verb)
            #expect(bench.packet(of: lent).error == .number(ENOTSOCK))
        }
        bench.end()
    }

    @Test("A device that is a stream ignores the offset")
    func device() throws {
        let bench = try PortBench()
        let near = try bench.associate(OpenFile(path: "/dev/zero", O_RDWR))
        let read = Lent(capacity: 5)
        bench.start(read, on: near) { $0.read($1, at: FileOffset(1 << 40)) }
        #expect(bench.packet(of: read) == Completion(count: 5))
        #expect(read.bytes(5) == [0, 0, 0, 0, 0])
        bench.end()
    }

    private let path = TemporaryPath()
}

/// A file whose bytes cannot be delivered: memory where the kernel stops at the first touch until it is told to go on. So a call is under
/// way for as long as a test wants.
@Suite("EpollPort: files that hang", .ownDescriptors, .enabled(if: HangingMemory.isPossible, "userfaultfd is not allowed here"))
struct HangingFileTests {
    @Test("A call under way cannot be taken back: its packet comes when it returns, and says what it did")
    func cancelUnderWay() throws {
        let bench = try PortBench()
        let near = try bench.associate(OpenFile(path: "/dev/zero", O_RDONLY))
        let hanging = HangingMemory()
        let read = hanging.lend()
        bench.start(read, on: near) { $0.read($1, at: FileOffset(0)) }
        hanging.awaitTouch()
        #expect(bench.cancel(read) == .requested)
        #expect(bench.packetsNow().isEmpty)
        hanging.release()
        #expect(bench.packet(of: read) == Completion(count: HangingMemory.bytes))
        bench.end()
    }

    @Test("A call that waits for a thread is aborted at once; so is one that waits for its turn at the position")
    func cancelQueued() throws {
        let bench = try PortBench()
        let near = try bench.associate(OpenFile(path: "/dev/zero", O_RDONLY))
        let hanging = [HangingMemory(), HangingMemory()]
        let reads = hanging.map { $0.lend() }
        bench.start(reads[0], on: near) { $0.read($1, at: nil) }
        bench.start(reads[1], on: near) { $0.read($1, at: FileOffset(0)) }
        for memory in hanging { memory.awaitTouch() }
        let (queued, turning, last) = (Lent(capacity: 4), Lent(capacity: 4), Lent(capacity: 4))
        bench.start(queued, on: near) { $0.read($1, at: FileOffset(0)) }
        bench.start(turning, on: near) { $0.read($1, at: nil) }
        bench.start(last, on: near) { $0.read($1, at: nil) }
        for lent in [queued, turning] {
            #expect(bench.cancel(lent) == .requested)
            #expect(bench.packet(of: lent) == .cancelled)
        }
        for memory in hanging { memory.release() }
        #expect(Set(bench.packets(3).map(\.lent.address)) == Set((reads + [last]).map(\.address)))
        bench.end()
    }

}
