public import LoopCore
internal import _Concurrency

/// Bytes that come, and bytes that go: what serial ports, sockets and pipes have in common.
///
/// A protocol of lines, or a bridge from one to another, is written once for all of them:
///
/// ```swift
/// func greet(_ stream: some ByteStream) async throws {
///     try await stream.write("who are you?\n", timeout: .seconds(1))
///     print(String(decoding: try await stream.readLine(timeout: .seconds(2)), as: UTF8.self))
/// }
/// ```
///
/// Calls may come from any task: reads are served one after the other, and so are writes. What a read does not take is there for the next.
public protocol ByteStream: OnLoop {
    /// What its calls throw.
    associatedtype Failure: StreamFailure

    /// Shows a function what has come and was not read yet, each time there is more, until it takes some: all other reads are made of this
    /// one. It is called when there are `atLeast` bytes, or fewer of which `isOver` says that no more will come.
    ///
    /// `interByte` bounds the silence behind each byte, where the first is waited for as long as `timeout` says. When the time is up, or
    /// the other side has ended while the function wants more, this throws, and the bytes are still there to be read.
    nonisolated(nonsending) func read(
        atLeast: Int, timeout: Duration?, interByte: Duration?, until body: (_ bytes: RawSpan, _ isOver: Bool) -> StreamStep
    ) async throws(Failure)

    /// Writes all of it.
    nonisolated(nonsending) func write(_ bytes: [UInt8], timeout: Duration?) async throws(Failure)

    /// Ends it on this side. Calls under way end with ``StreamFailure/closed``.
    nonisolated(nonsending) func end() async
}

/// What a ``ByteStream`` throws. Every stream has more cases than these, which are what those who read lines and frames have to know.
public protocol StreamFailure: Error, Hashable {
    /// The stream was closed on this side.
    static var closed: Self { get }
    /// The other side has ended, and so many bytes are there, which are fewer than were asked for. They are still there to be read.
    static func ended(received: Int) -> Self
    /// So many bytes came, and the end of the frame was not among them. They are still there to be read.
    static func frameTooLong(limit: Int) -> Self
}

/// What a function that is shown a stream's bytes wants.
public enum StreamStep: Hashable, Sendable {
    /// The first so many of them: they are read, and the call returns.
    case take(Int)
    /// To be shown them again when there are so many, or when no more will come.
    case more(atLeast: Int)
}
