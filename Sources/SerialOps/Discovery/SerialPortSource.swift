package import LoopCore

/// Where a platform keeps what it knows of its serial ports. Its calls may block: they are made on helper threads.
package protocol SerialPortSource: AnyObject, Sendable {
    /// Every port there is. None is opened: that would raise its lines.
    func ports() throws(SerialError) -> [SerialPortInfo]

    /// The port that a path leads to; nil where that is none of hardware.
    func port(at path: SerialText) -> SerialPortInfo?

    /// Begins to listen for ports that come and go.
    func listen() throws(SerialError) -> any SerialPortNews
}

/// The system's news of ports that come and go: what to wait for, and what it says. It belongs to the loop's thread.
package protocol SerialPortNews: AnyObject, Sendable {
    /// What the loop associates. It is closed by ``close()`` alone, after it was retired.
    var handle: NativeHandle { get }
    /// The buffer that a wait is given.
    var bytesMax: Int { get }

    /// Starts to wait. The wait ends when ports may have come or gone: the list says which.
    func wait(_ op: consuming PreparedOp) -> Decision

    /// Visits the ports that are gone according to what a wait brought: one that came back at once is in the list as if it had never left.
    func forEachGone(in bytes: RawSpan, _ visit: (SerialText) -> Void)

    /// Whether a wait that failed lost news and no more.
    func isLoss(_ code: SystemCode) -> Bool

    /// Gives the handle back to the system.
    func close()
}

extension SerialDevice {
    /// Nothing that the system knows of.
    package var info: SerialPortInfo? { nil }
}
