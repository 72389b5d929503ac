#if PORTLOOP_LINUX
import Glibc
import Portloop
import Synchronization

/// What the system refused when the demonstration was set up.
struct SetUpError: Error, CustomStringConvertible {
    let call: String
    let code: Int32
    var description: String { "\(call) failed with error \(code)" }
}

/// Connected pairs of descriptors. They stay open until the process ends.
enum Pair {
    // SAFETY: the call writes two integers.
    static func sockets() throws -> (NativeHandle, NativeHandle) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SetUpError(call: "socketpair", code: errno) }
        return (NativeHandle(rawValue: Int(ends[0])), NativeHandle(rawValue: Int(ends[1])))
    }

    /// A pseudo-terminal in raw mode.
    // SAFETY: each call gets the structure it expects, alive for its time.
    static func terminal() throws -> (NativeHandle, NativeHandle) {
        // What posix_openpt, unlockpt and ptsname do: Swift's Glibc module lacks them.
        let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)  // TIOCSPTLCK, TIOCGPTN
        let master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        var (off, number): (Int32, UInt32) = (0, 0)
        guard master >= 0, unsafe ioctl(master, unlock, &off) == 0, unsafe ioctl(master, getNumber, &number) == 0 else {
            throw SetUpError(call: "/dev/ptmx", code: errno)
        }
        let slave = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard slave >= 0 else { throw SetUpError(call: "open", code: errno) }
        var settings = termios()
        unsafe tcgetattr(slave, &settings)
        unsafe cfmakeraw(&settings)
        unsafe tcsetattr(slave, TCSANOW, &settings)
        return (NativeHandle(rawValue: Int(slave)), NativeHandle(rawValue: Int(master)))
    }
}

/// A thread that posts to the loop about a thousand times a second until it is stopped.
final class Poster: Sendable {
    private let isStopping = Atomic<Bool>(false)
    private let posted = Atomic<Int>(0)
    private let arrived = Atomic<Int>(0)
    private let thread = Atomic<UInt>(0)

    var received: Int { arrived.load(ordering: .relaxed) }

    // SAFETY: the reference handed to the thread is balanced there.
    func start(_ loop: EventLoop) {
        var thread = pthread_t()
        let work = PosterWork(poster: self, loop: loop)
        unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let work = unsafe Unmanaged<PosterWork>.fromOpaque(argument).takeRetainedValue()
                work.poster.post(to: work.loop)
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        self.thread.store(UInt(thread), ordering: .relaxed)
    }

    private func post(to loop: EventLoop) {
        while !isStopping.load(ordering: .relaxed) {
            posted.wrappingAdd(1, ordering: .relaxed)
            loop.post { [self] _ in arrived.wrappingAdd(1, ordering: .relaxed) }
            usleep(1_000)
        }
    }

    /// Ends the thread and says how often it posted.
    // SAFETY: the thread was started, and is joined once.
    func stop() -> Int {
        isStopping.store(true, ordering: .relaxed)
        pthread_join(pthread_t(thread.load(ordering: .relaxed)), nil)
        return posted.load(ordering: .relaxed)
    }
}

/// What the thread is given.
private final class PosterWork {
    let poster: Poster
    let loop: EventLoop

    init(poster: Poster, loop: EventLoop) {
        self.poster = poster
        self.loop = loop
    }
}
#endif
