import LoopCore

/// Every case of the contract, in the order of its clauses. Plain functions: Swift Testing runs them on Linux, a `main` elsewhere.
public enum ContractSuite {
    /// All of them.
    public static let cases: [ContractCase] = packets + bytes + identity + transitions + waits + limits + ends + races

    /// Cases whose waits need tasks. They come with the issue "Tasks as fibers", under these names.
    public static let casesWaitingForTasks = [
        "C8 a task that waits for capacity past its timeout is told, and submits nothing",
        "C9 a task that is cancelled while it awaits gets the packet's outcome",
        "C9 a task that is cancelled before it performs submits nothing",
        "C9 a cancel from another thread that meets the packet loses or wins, and nothing else",
        "C12 perform waits for capacity within its timeout, in order of arrival",
        "C12 a task that waits for capacity on a handle that is all orphans fails as stuck",
    ]
}
