package import LoopCore

/// The platform's half of an open port: native calls, what they mean, and nothing else. It keeps no queue, waits for nothing of the
/// loop's, and tells nobody.
///
/// Bytes are read with the loop's own verbs on ``handle``, and so is written what ``writeNow(_:)`` does not take. Everything below may
/// block, in a driver that answers slowly or never: it is called on helper threads, except where it says otherwise. Calls may overlap, and
/// one may be under way when the device is closed: the handle goes back to the system when the last of them is out (``HandleHold``).
package protocol SerialDevice: AnyObject, Sendable {
    /// What the loop associates. It is the device's own, closed by ``close()`` alone, after it was retired.
    var handle: NativeHandle { get }
    var capabilities: SerialCapabilities { get }
    /// What is behind it, where the system knows.
    var info: SerialPortInfo? { get }
    /// What the bytes of a read are worth that failed or was cancelled (clause C4).
    var bytesOnError: BytesOnError { get }
    /// Whether a read that brings nothing says that the device is gone. Otherwise it says nothing, and is made again.
    var emptyReadMeansGone: Bool { get }
    /// Whether no driver stands behind it that could hold up a close: then no helper thread is asked.
    var closesAtOnce: Bool { get }
    /// As ``emptyReadMeansGone``, for a platform whose port calls an end what its driver calls an error: by the status beside it.
    func emptyReadMeansGone(_ status: RawStatus) -> Bool
    /// Whether a read that finds nothing ends with the first byte alone, when the rest of a burst is there too.
    var firstByteComesAlone: Bool { get }
    /// How it is found out that everything has been sent.
    var drainStyle: DrainStyle { get }
    /// How events of the lines are found out.
    var eventStyle: EventStyle { get }
    /// What was counted when it was opened, and how the lines were: where events begin. For ``EventStyle/counts``.
    var countedAtOpening: (LineCounters, ModemLines)? { get }

    /// Sets everything but the initial lines, and reads it back.
    func configure(_ settings: SerialSettings) throws(SerialError)

    /// Sets both output lines in one step; nil leaves a line as it is.
    func setLines(dtr: Bool?, rts: Bool?) throws(SerialError)

    func inputLines() throws(SerialError) -> ModemLines

    func setBreak(_ isOn: Bool) throws(SerialError)

    func queues() throws(SerialError) -> SerialQueues

    func discard(_ what: SerialDirections) throws(SerialError)

    /// How far the sending has come. For ``DrainStyle/asks``.
    func sending() throws(SerialError) -> SendingState

    /// Returns when everything has been sent, which may be never. For ``DrainStyle/blocks``.
    func flush() throws(SerialError)

    /// Changes and errors so far. For ``EventStyle/counts``.
    func counters() throws(SerialError) -> LineCounters

    /// Waits for an event, as an operation of the handle; the bytes of its buffer say which. Called on the loop. For ``EventStyle/waits``.
    func waitForEvent(_ op: consuming PreparedOp) -> Decision

    /// What the bytes of such an operation say.
    func events(in bytes: RawSpan) -> [SerialEvent]

    /// Writes what there is room for without a wait, and says how much that was. None where the platform has no such call, and where it
    /// fails: the operation that follows says why. Called on the loop.
    func writeNow(_ bytes: RawSpan) -> Int

    /// The first step of closing: ends waits for events, and discards what has not been sent, because a close would wait for it. Called
    /// on the loop; it MUST not block.
    func beginClose()

    /// Gives the handle back to the system.
    func close()

    /// Whether a code of a read or a write says that the device is gone. Called on the loop.
    func isGone(_ code: SystemCode) -> Bool
}

extension SerialDevice {
    package func emptyReadMeansGone(_ status: RawStatus) -> Bool { emptyReadMeansGone }

    package func writeNow(_ bytes: RawSpan) -> Int { 0 }

    package var firstByteComesAlone: Bool { false }

    package var countedAtOpening: (LineCounters, ModemLines)? { nil }
}

package enum DrainStyle: Sendable {
    case asks
    case blocks
}

package enum EventStyle: Sendable {
    case counts
    case waits
    case none
}

package struct SendingState: Sendable {
    /// Bytes that the driver has yet to send.
    package var waiting: Int
    /// Whether the transmitter has sent its last bit; nil where nobody knows.
    package var isIdle: Bool?

    package init(waiting: Int, isIdle: Bool?) {
        self.waiting = waiting
        self.isIdle = isIdle
    }
}

/// How often each thing happened since the driver was loaded. Wraps around.
package struct LineCounters: Hashable, Sendable {
    package var cts: UInt32 = 0
    package var dsr: UInt32 = 0
    package var ri: UInt32 = 0
    package var cd: UInt32 = 0
    package var breaks: UInt32 = 0
    package var parityErrors: UInt32 = 0
    package var framingErrors: UInt32 = 0
    package var overruns: UInt32 = 0
    package var bufferOverruns: UInt32 = 0

    package init() {}
}
