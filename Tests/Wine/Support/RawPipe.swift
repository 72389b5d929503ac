internal import CLoopWin32

/// A named pipe: its server, and where clients find it.
final class RawPipe {
    let server: RawHandle
    let name: String

    init(mode: UInt32 = 0) throws(Unmet) {
        name = Scratch.pipe
        var made = 0
        let code = unsafe portloop_win32_pipe_create(
            name.wide, Windows.pipeDuplex | Windows.overlapped, mode, 1, 65536, 65536, 0, &made)
        if code != 0 { throw .failed("a pipe: error \(code)") }
        server = RawHandle(made)
    }

    func makeClient() throws(Unmet) -> RawHandle {
        try RawHandle.open(name, Windows.genericRead | Windows.genericWrite, Windows.openExisting)
    }

    func connect(_ block: Block) -> UInt32 { unsafe portloop_win32_pipe_connect(server.handle, block.overlapped) }
}
