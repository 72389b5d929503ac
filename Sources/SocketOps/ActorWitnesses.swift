#if hasFeature(Embedded)
internal import _Concurrency

// Embedded Swift 6.3.1 makes an actor's table of witnesses where the actor is somebody's isolation, and whole only in the actor's own
// module: needed by another module alone its executor is null there, and the first call from that module is one of address zero (seen). So
// each actor here that is nobody's isolation in this module has one function in which it is.

extension TCPStream {
    package func closeInIsolation() async { await close() }
}

extension UnixStream {
    package func closeInIsolation() async { await close() }
}

extension TCPListener {
    package func closeInIsolation() async { await close() }
}

extension UnixListener {
    package func closeInIsolation() async { await close() }
}
#endif
