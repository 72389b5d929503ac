import LoopCore

/// A socket's number, and the calls that are made with it at once. It owns nothing.
///
/// The calls are in the platforms' own files, under the same names.
struct NativeSocket: Sendable {
    let handle: NativeHandle
}

/// What a call that does not wait came to.
enum Moved {
    case bytes(Int)
    case wouldBlock
    case failed(SystemCode)
}

/// How a socket keeps its bytes.
enum SocketKind {
    case stream
    case datagram
}

/// What can be set by a number.
enum SocketOption {
    case noDelay
    case keepAlive
    case keepAliveIdle
    case keepAliveInterval
    case keepAliveCount
    case reuseAddress
    case reusePort
    case exclusiveAddress
    case only6
    case receiveBuffer
    case sendBuffer
    case broadcast
}

/// Which half of a connection.
enum SocketHalf: Int32 {
    case reading = 0
    case writing = 1
}

/// A code that a call was refused with.
struct SocketRefusal: Error {
    let code: SystemCode
}

extension NativeSocket {
    /// Calls that set up a socket or ask it something: their refusal as the error of the call that made them.
    func check<R>(_ call: SocketCall, _ body: (NativeSocket) throws(SocketRefusal) -> R) throws(SocketError) -> R {
        do throws(SocketRefusal) { return try body(self) } catch { throw SocketError(error.code, call) }
    }

    /// A new socket for an address.
    static func make(_ family: UInt16, _ kind: SocketKind) throws(SocketError) -> NativeSocket {
        do throws(SocketRefusal) { return try open(family, kind) } catch { throw SocketError(error.code, .open) }
    }

    /// Sets up a new socket; where that fails it is closed.
    func orClose<R, E: Error>(_ body: (NativeSocket) throws(E) -> R) throws(E) -> R {
        do throws(E) {
            return try body(self)
        } catch {
            close()
            throw error
        }
    }
}
