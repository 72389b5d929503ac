import FileWatch
import Portloop

/// What one check has: a loop, a directory of its own, and the sentences to fail with.
struct Site: Sendable {
    let loop: EventLoop
    let folder = Folder()

    /// Long enough for any machine; who waits that long has failed.
    static let patience = Duration.seconds(10)

    func watch(eventsMax: Int = 1_024) async throws(Failure) -> DirectoryWatch { try await watch(folder.path, eventsMax: eventsMax) }

    func watch(_ path: String, eventsMax: Int = 1_024) async throws(Failure) -> DirectoryWatch {
        do throws(WatchError) {
            return try await DirectoryWatch(on: loop, path: path, eventsMax: eventsMax)
        } catch {
            throw Failure("no watch: \(error)")
        }
    }

    /// The next event, whatever it is; nil at the end.
    func next(_ watch: DirectoryWatch) async throws(Failure) -> DirectoryEvent? {
        do throws(WatchError) { return try await watch.next(timeout: Site.patience) } catch { throw Failure("no event: \(error)") }
    }

    /// The next events MUST be these.
    func expect(_ watch: DirectoryWatch, _ events: DirectoryEvent...) async throws(Failure) {
        for expected in events {
            let found = try await next(watch)
            try require(found == expected, "expected \(expected), found \(found.map { "\($0)" } ?? "the end")")
        }
    }

    /// There MUST be no more events, for this reason.
    func expectEnd(_ watch: DirectoryWatch, _ ending: WatchEnding) async throws(Failure) {
        if let event = try await next(watch) { throw Failure("expected the end, found \(event)") }
        let found = await watch.ending
        try require(found == ending, "expected to end as \(ending), found \(found.map { "\($0)" } ?? "none")")
    }

    /// Waits for the next event in a fiber of its own, which is waiting when this returns.
    func waitElsewhere(_ watch: DirectoryWatch) async -> Task<Wait, Never> {
        let fiber = Task(executorPreference: loop) { await wait { () throws(WatchError) in try await watch.next(timeout: Site.patience) } }
        for _ in 0..<5 { await Task.yield() }
        return fiber
    }
}

/// How a wait for an event ended.
typealias Wait = Result<DirectoryEvent?, WatchError>

func wait(_ call: () async throws(WatchError) -> DirectoryEvent?) async -> Wait {
    do throws(WatchError) { return .success(try await call()) } catch { return .failure(error) }
}

struct Failure: Error {
    let sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}

func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws(Failure) {
    if !holds { throw Failure(sentence()) }
}
