internal import FileWatch
internal import LoopCore
internal import _Concurrency

/// What a case about the watch has: a directory of its own, and the sentences to fail with.
struct WatchSite: Sendable {
    let loop: EventLoop
    let folder = WatchedFolder()

    /// Long enough for any machine; who waits that long has failed.
    static let patience = Duration.seconds(10)

    func watch(eventsMax: Int = 1_024, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) -> DirectoryWatch {
        do throws(WatchError) {
            return try await DirectoryWatch(on: loop, path: folder.text, eventsMax: eventsMax)
        } catch {
            throw .failed("there is no watch: \(error.words)")
        }
    }

    /// Why there is no watch of that path; nil if there is one.
    func refusal(_ path: String, isolation: isolated (any Actor)? = #isolation) async -> WatchError? {
        do throws(WatchError) {
            _ = try await DirectoryWatch(on: loop, path: path)
            return nil
        } catch {
            return error
        }
    }

    /// The next events MUST be these. Windows says "modified" as often as it likes: more of those are no surprise.
    func expect(_ watch: DirectoryWatch, _ events: DirectoryEvent..., isolation: isolated (any Actor)? = #isolation) async throws(Unmet) {
        for expected in events {
            let found = try await next(watch, besides: expected)
            guard found == expected else { throw .failed("expected \(expected.words), found \(found?.words ?? "the end")") }
        }
    }

    /// There MUST be no more events, for this reason.
    func expectEnd(_ watch: DirectoryWatch, _ ending: WatchEnding, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) {
        if let event = try await next(watch) { throw .failed("expected the end, found \(event.words)") }
        guard await watch.ending == ending else { throw .failed("it ended for another reason") }
    }

    /// The next event that is no "modified" but the expected one; nil at the end.
    func next(
        _ watch: DirectoryWatch, besides expected: DirectoryEvent? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws(Unmet) -> DirectoryEvent? {
        while true {
            switch await wait(watch) {
            case .event(let event):
                if case .modified = event, event != expected { continue }
                return event
            case .end: return nil
            case .failed(let error): throw .failed("there is no event: \(error.words)")
            }
        }
    }
}

/// How a wait for an event ended.
enum Wait: Equatable, Sendable {
    case event(DirectoryEvent)
    case end
    case failed(WatchError)

    var words: String {
        switch self {
        case .event(let event): event.words
        case .end: "the end"
        case .failed(let error): error.words
        }
    }
}

func wait(
    _ watch: DirectoryWatch, _ timeout: Duration = WatchSite.patience, isolation: isolated (any Actor)? = #isolation
) async -> Wait {
    do throws(WatchError) {
        guard let event = try await watch.next(timeout: timeout) else { return .end }
        return .event(event)
    } catch {
        return .failed(error)
    }
}

/// Waits in a task of its own, which is waiting when this returns.
func waitElsewhere(_ watch: DirectoryWatch, _ loop: isolated EventLoop) async -> Task<Wait, Never> {
    let task = Task { await waitOnLoop(watch, watch.loop) }
    for _ in 0..<5 { await Task.yield() }
    return task
}

private func waitOnLoop(_ watch: DirectoryWatch, _ loop: isolated EventLoop) async -> Wait { await wait(watch) }

extension DirectoryEvent {
    var words: String {
        switch self {
        case .created(let name): "\(name) created"
        case .removed(let name): "\(name) removed"
        case .renamed(let from, let to): "\(from) renamed to \(to)"
        case .modified(let name): "\(name) modified"
        case .attributesChanged(let name): "attributes of \(name) changed"
        case .rescan(.systemQueueFull): "a rescan for the kernel's queue"
        case .rescan(.watchQueueFull): "a rescan for the watch's queue"
        case .rescan(.unreadable): "a rescan for a record that cannot be read"
        }
    }
}

extension WatchError {
    var words: String {
        switch self {
        case .system(_, let code): "error \(code.rawValue)"
        case .notAccepted(let error): "not accepted, \(error.name)"
        case .loop(let error): "the loop says \(error.words)"
        case .alreadyWaiting: "somebody waits already"
        case .timedOut: "timed out"
        case .cancelled: "cancelled"
        }
    }
}
