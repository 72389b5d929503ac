#if PORTLOOP_WINDOWS
import CLoopWin32
import LoopCore
import StreamOps
import Synchronization

/// Changes of the registry's list of ports, which drivers keep: a thread of its own waits for them, and writes the names of the ports that
/// went to a pipe, whose other end is the loop's.
///
/// `CM_Register_Notification` would tell of devices, and leaves out those whose drivers register no interface; Wine 8 does not have it.
final class RegistryNews: SerialPortNews {
    let handle: NativeHandle
    /// Some four hundred names that went at once.
    let bytesMax = 4_096
    private let watch: RegistryWatch
    private let hold: HandleHold

    init() throws(SerialError) {
        let pipe = try RegistryNews.makePipe()
        hold = HandleHold { _ = portloop_win32_close_handle(pipe.server) }
        handle = NativeHandle(rawValue: pipe.server)
        watch = try RegistryWatch(writingTo: pipe.client)
        try watch.start()
    }

    deinit { close() }

    func wait(_ op: consuming PreparedOp) -> Decision { op.read() }

    /// Names, each ended by a NUL; none where ports came and none went.
    func forEachGone(in bytes: RawSpan, _ visit: (SerialText) -> Void) {
        var name: [UInt8] = []
        for place in 0..<bytes.byteCount {
            let byte = bytes.byte(at: place)
            if byte != 0 {
                name.append(byte)
            } else if !name.isEmpty {
                visit(SerialText(bytes: name))
                name = []
            }
        }
    }

    func isLoss(_ code: SystemCode) -> Bool { false }

    /// The thread ends whether it waits for the registry or for room in the pipe.
    func close() {
        watch.stop()
        hold.end()
    }

    /// A pipe with a name that nobody has: this end may be waited for, and the other is the thread's. A message is a piece of news.
    // SAFETY: the names end with a NUL, and handles are written on success.
    private static func makePipe() throws(SerialError) -> (server: Int, client: Int) {
        let number = pipes.add(1, ordering: .relaxed).newValue
        let name = Array("\\\\.\\pipe\\portloop-ports-\(portloop_win32_process_id())-\(number)".utf16) + [0]
        var (server, client) = (-1, -1)
        let made = unsafe portloop_win32_pipe_create(name, inboundOverlappedFirst, localMessages, 1, 4_096, 4_096, 0, &server)
        guard made == 0 else { throw .system(.watch, SystemCode(rawValue: Int32(bitPattern: made))) }
        let opened = unsafe portloop_win32_file_open(name, genericWrite, 0, nil, openExisting, 0, 0, &client)
        guard opened == 0 else {
            _ = portloop_win32_close_handle(server)
            throw .system(.watch, SystemCode(rawValue: Int32(bitPattern: opened)))
        }
        return (server, client)
    }

    private static let pipes = Atomic<UInt32>(0)

    // What the calls are asked for; winbase.h and winnt.h have the numbers.

    /// PIPE_ACCESS_INBOUND, FILE_FLAG_OVERLAPPED, FILE_FLAG_FIRST_PIPE_INSTANCE.
    private static let inboundOverlappedFirst: UInt32 = 1 | 0x4000_0000 | 0x8_0000
    /// PIPE_TYPE_MESSAGE, PIPE_READMODE_MESSAGE, PIPE_REJECT_REMOTE_CLIENTS.
    private static let localMessages: UInt32 = 4 | 2 | 8
    private static let genericWrite: UInt32 = 0x4000_0000
    private static let openExisting: UInt32 = 3
}

/// The thread's half: it asks to be told, then what there is, and waits. So nothing that comes or goes is missed from the first time on,
/// which is its maker's.
private final class RegistryWatch: Sendable {
    private let key: Int
    private let changed: Int
    private let stopped: Int
    private let pipe: Int
    private let before: [SerialText]

    /// Takes over the pipe's end.
    // SAFETY: handles are written on success.
    init(writingTo pipe: Int) throws(SerialError) {
        var (key, changed, stopped) = (0, 0, 0)
        var names: [SerialText] = []
        var code = unsafe portloop_win32_comm_list_open(&key)
        if code == 0 { code = unsafe portloop_win32_event_create(0, &changed) }
        if code == 0 { code = unsafe portloop_win32_event_create(1, &stopped) }
        if code == 0 { code = portloop_win32_comm_list_notify(key, changed) }
        do throws(SerialError) {
            guard code == 0 else { throw .system(.watch, SystemCode(rawValue: Int32(bitPattern: code))) }
            names = try WindowsPorts.names()
        } catch {
            RegistryWatch.close(key, changed, stopped, pipe)
            throw error
        }
        (self.key, self.changed, self.stopped, self.pipe, before) = (key, changed, stopped, pipe, names)
    }

    deinit { RegistryWatch.close(key, changed, stopped, pipe) }

    private static func close(_ key: Int, _ changed: Int, _ stopped: Int, _ pipe: Int) {
        if key != 0 { _ = portloop_win32_comm_list_close(key) }
        for handle in [changed, stopped, pipe] where handle != 0 { _ = portloop_win32_close_handle(handle) }
    }

    // SAFETY: the thread takes over one reference to this object, or gives it back here if it never begins. The shim writes the handle
    // before it says zero.
    func start() throws(SerialError) {
        let own = unsafe Unmanaged.passRetained(self)
        var thread = 0
        let code = unsafe portloop_win32_thread_start(registryMain, own.toOpaque(), &thread)
        if code == 0 {
            _ = portloop_win32_close_handle(thread)
        } else {
            unsafe own.release()
            throw .system(.watch, SystemCode(rawValue: Int32(bitPattern: code)))
        }
    }

    func stop() { _ = portloop_win32_event_set(stopped) }

    /// On the watch's own thread, until it is stopped, or until a call fails: the pipe's other end sees that.
    fileprivate func run() {
        var known = before
        while waitsForChange() {
            guard portloop_win32_comm_list_notify(key, changed) == 0, let names = try? WindowsPorts.names() else { return }
            let gone = known.filter { !names.contains($0) }
            let isNews = !gone.isEmpty || names.count > known.count
            known = names
            if isNews, !write(gone.reduce(into: [0]) { $0 += $1.bytes + [0] }) { return }
        }
    }

    // SAFETY: the handles stay as long as this object, and the place is this call's.
    private func waitsForChange() -> Bool {
        var which: UInt32 = 0
        return unsafe portloop_win32_wait_any([stopped, changed], 2, UInt32.max, &which) == 0 && which == 1
    }

    // SAFETY: the call is over before it returns.
    private func write(_ bytes: [UInt8]) -> Bool {
        var moved: UInt32 = 0
        return unsafe portloop_win32_file_write(pipe, bytes, UInt32(bytes.count), nil, &moved) == 0
    }
}

// SAFETY: `start` passed a reference that it retained for this thread.
private func registryMain(_ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { trap("A thread was started for nobody.") }
    unsafe Unmanaged<RegistryWatch>.fromOpaque(context).takeRetainedValue().run()
}
#endif
