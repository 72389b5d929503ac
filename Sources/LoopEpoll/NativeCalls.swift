internal import CLoopEpoll
internal import Glibc
internal import LoopCore

// Every system call of the module, as Swift sees it. The shim makes them, retries them when a signal interrupts, and returns the error
// number instead of leaving it in `errno`.

/// What a system call said.
enum Answer {
    case count(Int)
    case failed(SystemCode)

    init(_ result: Int64) {
        self = result >= 0 ? .count(Int(result)) : .failed(SystemCode(rawValue: Int32(truncatingIfNeeded: -result)))
    }

    init(_ result: Int32) { self.init(Int64(result)) }
}

/// Calls on an operation's own memory, which the ledger keeps in place until the packet (C2).
extension Operation {
    // SAFETY: `rest` lies in the operation's buffer.
    @inline(__always)
    func callRead() -> Answer {
        let rest = unsafe rest(max: .max)
        return Answer(unsafe portloop_read(record.fd, rest.baseAddress, rest.count))
    }

    // SAFETY: as above.
    @inline(__always)
    func callReceiveBytes() -> Answer {
        let rest = unsafe rest(max: .max)
        return Answer(unsafe portloop_receive_bytes(record.fd, rest.baseAddress, rest.count))
    }

    // SAFETY: as above.
    func callReadAtOffset() -> Answer {
        let rest = unsafe rest(max: .max)
        return Answer(unsafe portloop_read_at(record.fd, rest.baseAddress, rest.count, position))
    }

    // SAFETY: as above.
    func callWrite(max: Int) -> Answer {
        let rest = unsafe rest(max: max)
        return Native.takingBrokenPipe(Answer(unsafe portloop_write(record.fd, rest.baseAddress, rest.count)))
    }

    // SAFETY: as above.
    func callWriteAtOffset() -> Answer {
        let rest = unsafe rest(max: .max)
        return Answer(unsafe portloop_write_at(record.fd, rest.baseAddress, rest.count, position))
    }

    // SAFETY: the pieces lie in the operation's buffer and live for the call.
    func callGather(max: Int) -> Answer {
        unsafe withPieces(max: max) { pieces in
            Native.takingBrokenPipe(Answer(unsafe portloop_gather(record.fd, pieces.baseAddress, UInt32(pieces.count))))
        }
    }

    // SAFETY: as above.
    func callGatherAtOffset() -> Answer {
        unsafe withPieces(max: .max) { pieces in
            Answer(unsafe portloop_gather_at(record.fd, pieces.baseAddress, UInt32(pieces.count), position))
        }
    }

    /// Sends to the operation's address, or to the peer where it has none.
    // SAFETY: `rest` lies in the buffer, the address in the room for it.
    func callSend(max: Int, to length: UInt32) -> Answer {
        let rest = unsafe rest(max: max)
        let address = unsafe length > 0 ? addressStorage : nil
        return Answer(unsafe portloop_send(record.fd, rest.baseAddress, rest.count, address, length))
    }

    // SAFETY: the pieces lie in the operation's buffer and live for the call.
    func callGatherSend(max: Int) -> Answer {
        unsafe withPieces(max: max) { pieces in
            Answer(unsafe portloop_gather_send(record.fd, pieces.baseAddress, UInt32(pieces.count)))
        }
    }

    /// Receives one message; the second value says whether it was cut.
    // SAFETY: as for `callSend`; the shim writes the two numbers before it returns.
    func callReceive(withAddress: Bool) -> (Answer, isCut: Bool) {
        let rest = unsafe rest(max: .max)
        let address = unsafe withAddress ? addressStorage : nil
        var (length, isCut) = (SocketAddress.storageBytes, Int32(0))
        let answer = Answer(unsafe portloop_receive(record.fd, rest.baseAddress, rest.count, address, &length, &isCut))
        if case .count = answer, withAddress { addressLength = length }
        return (answer, isCut != 0)
    }

    // SAFETY: as for `callSend`.
    func callAccept() -> Answer {
        var length = SocketAddress.storageBytes
        let answer = Answer(unsafe portloop_accept(record.fd, addressStorage, &length))
        if case .count = answer { addressLength = length }
        return answer
    }

    // SAFETY: as for `callSend`.
    func callConnect() -> Answer { Answer(unsafe portloop_connect(record.fd, addressStorage, addressLength)) }

    /// Where the next byte goes in the file.
    private var position: Int64 { Int64(bitPattern: record.offset &+ UInt64(record.progress)) }
}

/// Calls on handles and threads, and a word to the processor.
enum Native {
    // MARK: memory

    /// Has the processor fetch so many cache lines, which are about to be written to.
    // SAFETY: a hint, which follows no pointer.
    @inline(__always)
    static func prefetch(_ start: UnsafeRawPointer, lines: Int) {
        for line in 0..<lines { unsafe portloop_prefetch(start + line * 64) }
    }

    // MARK: streams

    /// Writes to a stream of a kind.
    // SAFETY: the kernel reads as many bytes as it is told there are.
    @inline(__always)
    static func write(_ fd: Int32, _ kind: DescriptorKind, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Answer {
        if kind.isSocket { return Answer(unsafe portloop_send(fd, start, count, nil, 0)) }
        return takingBrokenPipe(Answer(unsafe portloop_write(fd, start, count)))
    }

    // MARK: the port's own descriptors

    static func makeEpoll() -> Answer { Answer(portloop_epoll_create()) }

    static func makeEventDescriptor() -> Answer { Answer(portloop_eventfd_create()) }

    static func makeTimer() -> Answer { Answer(portloop_timerfd_create()) }

    static func armTimer(_ fd: Int32, at nanoseconds: UInt64) -> Answer { Answer(portloop_timerfd_arm(fd, nanoseconds)) }

    static func addOne(toEventDescriptor fd: Int32) -> Answer { Answer(portloop_eventfd_add_one(fd)) }

    static func control(_ epoll: Int32, _ change: Registration, _ fd: Int32, _ events: EventFlags, _ word: UInt64) -> Answer {
        Answer(portloop_epoll_control(epoll, change.rawValue, fd, events.rawValue, word))
    }

    /// Whether that epoll descriptor watches the open file that the number names.
    static func isWatched(_ fd: Int32, by epoll: Int32) -> Bool { portloop_epoll_watches(epoll, fd) == 1 }

    static func close(_ fd: Int32) { _ = portloop_close(fd) }

    static func now() -> UInt64 { portloop_monotonic_nanoseconds() }

    // MARK: what a descriptor is

    // SAFETY: the shim writes the whole identity before it says zero.
    static func identify(_ fd: Int32) throws(SystemError) -> portloop_identity {
        var identity = portloop_identity()
        if case .failed(let code) = Answer(unsafe portloop_identify(fd, &identity)) { throw SystemError(code: code) }
        return identity
    }

    static func statusFlags(_ fd: Int32) -> Answer { Answer(portloop_status_flags(fd)) }

    static func setStatusFlags(_ fd: Int32, _ flags: Int) -> Answer { Answer(portloop_set_status_flags(fd, Int32(flags))) }

    static func socketOption(_ fd: Int32, _ option: Int32) -> Answer { Answer(portloop_socket_option(fd, option)) }

    static func hasPeer(_ fd: Int32) -> Answer { Answer(portloop_has_peer(fd)) }

    /// What the descriptor is ready for now. The corresponding function is poll(2) with a timeout of zero.
    static func readiness(_ fd: Int32, _ interest: Readiness) -> Answer { Answer(portloop_poll_now(fd, Int32(interest.pollBits))) }

    // MARK: forks and signals

    static func watchForks() { portloop_watch_forks() }

    static var forkCount: UInt32 { portloop_fork_count() }

    // MARK: threads

    /// A number of the calling thread. No handle of it: see `pthread_self` for those.
    static var currentThread: UInt {
        @inline(__always) get { portloop_current_thread() }
    }

    /// False if the thread has not ended by that instant of the monotonic clock.
    static func join(_ thread: pthread_t, until nanoseconds: UInt64) -> Bool { portloop_join_thread(thread, nanoseconds) == 0 }

    /// Has the system take the thread's remains away when it ends.
    static func abandon(_ thread: pthread_t) { pthread_detach(thread) }

    // SAFETY: the name is read during the call.
    static func nameThread(_ name: String) { _ = unsafe pthread_setname_np(pthread_self(), name) }

    /// Blocks SIGPIPE on this thread; true if it was blocked before.
    static func blockBrokenPipe() -> Bool { portloop_block_broken_pipe() == 1 }

    static func unblockBrokenPipe() {
        portloop_take_broken_pipe()
        portloop_unblock_broken_pipe()
    }

    /// A write(2) that says EPIPE has also made a SIGPIPE pending on this thread, where it is blocked. It is taken back, so that a library
    /// that unblocks signals for a moment does not end the process with it. The signal was the thread's own, and those are taken first.
    static func takingBrokenPipe(_ answer: Answer) -> Answer {
        if case .failed(.brokenPipe) = answer { portloop_take_broken_pipe() }
        return answer
    }
}

/// A system call's refusal.
struct SystemError: Error, Hashable {
    let code: SystemCode
}

/// What to do with a registration. The corresponding constants are `EPOLL_CTL_ADD`, `EPOLL_CTL_MOD` and `EPOLL_CTL_DEL`.
enum Registration: Int32 {
    case add = 1
    case change = 3
    case remove = 2
}
