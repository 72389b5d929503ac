/// What a loop needs of its platform beside completions: threads for work that blocks, names of hosts, ends of processes, signals.
///
/// A port hands it out (``CompletionPort/system``); one that has none answers nil, and everything that needs it throws "not supported". It
/// is used on the loop's thread, but for the parts that say otherwise.
public protocol SystemServices: AnyObject {
    /// Starts a thread that waits for work. It MUST NOT take the process's signals, and carries the name where a person can see it: at
    /// most 15 bytes, which is what Linux shows.
    func startWorker(named name: String) throws(SystemRefusal) -> any SystemWorker

    /// Where names are looked up.
    var resolver: any SystemResolver { get }

    /// Begins to watch for the end of a process. What cannot be waited for is refused here, and not when it has ended.
    func watchProcess(_ process: ProcessReference) throws(ProcessError) -> any ProcessWatch

    /// Begins to take signals, instead of what they would do otherwise, on the loop's thread.
    func watchSignals(_ signals: SignalSet) throws(SignalError) -> any SignalWatch
}

/// A thread that does one piece of work after the other. Used on the loop's thread; its own runs the work.
public protocol SystemWorker: AnyObject {
    /// Does a piece of work on the worker's thread. It has none at present: the work itself tells the loop when it is done.
    func run(_ work: @escaping @Sendable () -> Void)

    /// Asks the thread to end as soon as it has no work.
    func stop()

    /// Waits for the thread to end, at most until an instant of the port's clock. False says that it did not: it is left behind, with
    /// everything that its work holds.
    func join(until instant: MonotonicInstant) -> Bool
}

/// Where something of the system's tells that it has happened.
public protocol SystemSource: AnyObject {
    /// A handle that polls readable when there is something to take. The loop associates it, polls it, retires it. Nil where the platform
    /// calls instead: ``notify(_:)``.
    var pollableHandle: NativeHandle? { get }

    /// For a source without a handle: calls back whenever there is something to take, from any thread, until ``close()``.
    func notify(_ call: @escaping @Sendable () -> Void) throws(SystemRefusal)

    /// Lets go of what the source holds. The handle has been retired; no call comes afterwards.
    func close()
}

/// A call of the system's that failed, with its own code.
public struct SystemRefusal: Error, Hashable, Sendable {
    /// An `errno`, or a Win32 code.
    public let code: SystemCode

    /// A refusal with its code.
    public init(code: SystemCode) { self.code = code }
}
