internal import Glibc
public import LoopCore

/// The completion port of Linux, emulated over epoll: operations are tried at once, wait in their control blocks for an edge if they would
/// block, and end in one packet each.
///
/// Each descriptor is registered once, edge-triggered, for as long as it is associated. An event only says that a direction may be ready;
/// the operation's own system call says the rest. So a steady exchange costs a read, a write and its share of one epoll_wait, and no
/// operation and no turn allocates.
///
/// What epoll cannot watch, such as regular files, is read and written by a few threads of the port's own; see ``FileWorkers``.
///
/// A port is used by one thread at a time, but for its ``waker``. On that thread SIGPIPE is blocked.
///
/// ```swift
/// let loop = EventLoop(port: try EpollPort())
/// ```
public final class EpollPort: CompletionPort {
    let kernel: KernelQueue
    let eventWaker: EpollWaker
    let state: Reference<PortState>
    /// What this port is in the table of the process.
    let binding: Binding
    private let services: EpollSystem
    private let forkCount: UInt32

    /// Makes a port: two descriptors, both closed by ``close()`` or with the port.
    public convenience init() throws(EpollPortError) { try self.init(lacksNanosecondWait: false) }

    /// A port that believes itself on an old kernel, for tests.
    package init(lacksNanosecondWait: Bool) throws(EpollPortError) {
        guard Layout.isRight else { trap("An operation of EpollPort needs \(MemoryLayout<EpollRequest>.size) bytes of its control block.") }
        Native.watchForks()
        forkCount = Native.forkCount
        do throws(SystemError) {
            kernel = try KernelQueue(lacksNanosecondWait: lacksNanosecondWait)
            eventWaker = try EpollWaker()
            services = EpollSystem()
        } catch {
            throw EpollPortError(code: error.code)
        }
        binding = Binding(epoll: kernel.epoll)
        let answer = Native.control(kernel.epoll, .add, eventWaker.fd, [.readable, .edgeTriggered], ReservedWord.wake)
        if case .failed(let code) = answer { throw EpollPortError(code: code) }
        state = Reference(allocating: PortState())
    }

    deinit {
        close()
        state.record.ready.deallocate()
        state.record.descriptors.deallocate()
        state.deallocate()
    }

    public var waker: any PortWaker { eventWaker }

    public func now() -> MonotonicInstant { MonotonicInstant(nanoseconds: Native.now()) }

    public var system: (any SystemServices)? { services }

    public var abortedCompletion: Completion { .aborted(count: 0) }

    public var pollableHandle: NativeHandle? { state.record.isOpen ? NativeHandle(rawValue: Int(kernel.epoll)) : nil }

    public var portMetrics: PortMetrics { state.record.metrics }

    /// Calls of epoll_ctl for associations: one for each, one more for those that had to wait to write, one at the end.
    package var registrations: UInt64 { kernel.registrations }

    /// Whether this process is a fork of the one that made the port. The kernel's queue is then shared with it: an event taken here would
    /// be missed there.
    var isForked: Bool { forkCount != Native.forkCount }

    /// The descriptor of a request that a verb can go on with.
    @inline(__always)
    func admit(_ request: PortRequest) -> Descriptor? {
        isForked ? nil : state.record.descriptors.find(request.key)
    }

    /// Why ``admit(_:)`` found none.
    func refusal() -> Submission {
        if isForked { return .refused(.forked) }
        return .refused(state.record.isOpen ? .badDescriptor : .portClosed)
    }
}

/// Why there is no port: one of its two descriptors could not be had.
public struct EpollPortError: Error, Hashable, Sendable {
    /// What epoll_create1, eventfd or epoll_ctl said: EMFILE and ENFILE where a limit on descriptors is reached.
    public let code: SystemCode
}

/// What changes with every operation, behind a pointer: see ``Reference``.
struct PortState {
    var isOpen = true
    var ready = ReadyQueue()
    var agenda = Agenda()
    /// How many of the agenda are to be served before the kernel is asked again.
    var dueOnAgenda = 0
    /// Attempts that the function of another attempt submitted: it must have returned before they run.
    var fresh = ParkingLot()
    /// Functions of attempts that are running now, one inside the other.
    var bodiesRunning = 0
    var descriptors = DescriptorTable()
    /// The association that has a number now.
    var keys: [Int32: HandleKey] = [:]
    /// Packets handed out since the kernel was last asked.
    var packetsSincePoll = 0
    /// Who waits for a descriptor or for memory that somebody gives back, and when that is tried again.
    var throttled: [HandleKey] = []
    var retryAt: MonotonicInstant?
    /// Started by the first operation on a file.
    var workers: FileWorkers?
    var brokenPipes = BrokenPipeGuard()
    var metrics = PortMetrics()
}
