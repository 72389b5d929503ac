public import LoopCore

/// The completion port of Windows. Operations are the kernel's from their call to their packet; this port starts them, tells packets apart,
/// and translates what they say. `Win32Port+Wait.swift` explains how a completion port works, and what follows for its user.
///
/// It adds what the kernel has no operation for: readiness of sockets, by one request to their driver for all who wait on a socket, and
/// attempts, which are tried whenever the driver says so.
///
/// A handle is bound to a port until it is closed: Windows has no way back. After `retire` the same port takes it again, no other does.
///
/// A port is used by one thread at a time, but for its ``waker``. No operation and no turn allocates in the steady state, but for a
/// gathered write to something that is no socket.
///
/// ```swift
/// let loop = EventLoop(port: try Win32Port())
/// ```
public final class Win32Port: CompletionPort {
    let kernel: KernelQueue
    let portWaker: Win32Waker
    let state: Reference<PortState>
    let faults: Win32Faults
    let services: Win32System

    /// Makes a port. Its kernel object is closed when neither the port nor its waker is used any more.
    public convenience init() throws(Win32PortError) { try self.init(faults: []) }

    /// A port with faults, for tests of the tests.
    package init(faults: Win32Faults) throws(Win32PortError) {
        guard Layout.isRight, AcceptRoom.addressesFit else {
            trap("An operation of Win32Port needs \(MemoryLayout<Win32Request>.size) bytes of its control block, behind the OVERLAPPED.")
        }
        self.faults = faults
        do throws(SystemError) {
            try Native.startSockets()
            portWaker = try Win32Waker(faults: faults)
        } catch {
            throw Win32PortError(code: error.code)
        }
        kernel = KernelQueue(port: portWaker.port)
        services = Win32System(waker: portWaker)
        state = Reference(allocating: PortState())
    }

    deinit {
        close()
        state.record.handles.deallocate()
        state.deallocate()
    }

    public var waker: any PortWaker { portWaker }

    public func now() -> MonotonicInstant { MonotonicInstant(nanoseconds: Native.now) }

    public var system: (any SystemServices)? { services }

    public var abortedCompletion: Completion { .aborted(count: 0) }

    /// A completion port cannot be waited for together with anything else. A host with a loop of its own turns this one on a thread of its
    /// own, or by its own timer.
    public var pollableHandle: NativeHandle? { nil }

    public var portMetrics: PortMetrics { state.record.metrics }

    /// Requests to the driver of sockets so far, for the tests that they are as few as can be.
    package var readinessRequests: UInt64 { state.record.readinessRequests }

    /// The completion port's handle, for tests that play the stranger.
    package var nativePort: Int { portWaker.port }

    /// The handle of a request that a verb can go on with.
    @inline(__always)
    func admit(_ request: PortRequest) -> BoundHandle? { state.record.handles.find(request.key) }

    /// Why ``admit(_:)`` found none.
    func refusal() -> Submission { .refused(state.record.isOpen ? .invalidHandle : .portClosed) }
}

/// Why there is no port.
public struct Win32PortError: Error, Hashable, Sendable {
    /// What WSAStartup or CreateIoCompletionPort said.
    public let code: SystemCode
}

/// What changes with every operation, behind a pointer: see ``Reference``.
struct PortState: ~Copyable {
    var isOpen = true
    /// Packets that the port itself made, in the order they were made.
    var ready = Ring<Packet>()
    /// Where the control blocks are that the kernel owes a packet for. What a packet points to is looked at only if it is here.
    var owed = AddressTable()
    /// The same for the requests to the driver of sockets.
    var asked = AddressTable()
    /// Attempts that the function of another attempt submitted: it must have returned before they run.
    var fresh = ParkingLot()
    /// Functions of attempts that are running now, one inside the other.
    var bodiesRunning = 0
    /// Sockets the driver has said something about, to be served when every packet of a batch has been looked at.
    var agenda = Agenda()
    var handles = BoundHandleTable()
    /// The association that a number has now.
    var keys: [NativeHandle: HandleKey] = [:]
    /// What was bound to this port under which number, the retired included: they are bound to it still.
    var bound: [NativeHandle: KernelObject] = [:]
    var rooms = AcceptRooms()
    var requests = ReadinessRequests()
    /// The way to the driver of sockets, opened by the first wait for readiness.
    var helper: Int?
    var readinessRequests: UInt64 = 0
    var metrics = PortMetrics()
}
