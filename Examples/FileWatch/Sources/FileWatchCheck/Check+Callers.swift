import FileWatch
import Portloop

extension Check {
    static let callers: [Check] = [
        Check("it is used from the loop, from another actor and from a thread of the pool alike") { site throws(Failure) in
            let watch = try await site.watch()
            let elsewhere = Elsewhere(watch)
            for round in 0..<50 {
                site.folder.make("\(round)")
                let found: Wait
                switch round % 3 {
                case 0: found = await wait { () throws(WatchError) in try await watch.next(timeout: Site.patience) }
                case 1: found = await elsewhere.next()
                default:
                    found = await Task.detached {
                        await wait { () throws(WatchError) in try await watch.next(timeout: Site.patience) }
                    }.value
                }
                try require(found == .success(.created("\(round)")), "round \(round): found \(found)")
            }
            let calls = await elsewhere.calls
            try require(calls == 17, "\(calls) calls")
            await watch.close()
        },
        Check("a wait that began on another thread is cancelled from there") { site throws(Failure) in
            let watch = try await site.watch()
            for _ in 0..<20 {
                let waiting = Task.detached { await wait { () throws(WatchError) in try await watch.next(timeout: Site.patience) } }
                await Task.yield()
                let cancelling = Task.detached { waiting.cancel() }
                let found = await waiting.value
                await cancelling.value
                try require(found == .failure(.cancelled), "found \(found)")
            }
            site.folder.make("a")
            try await site.expect(watch, .created("a"))
            await watch.close()
        },
        Check("the events are a sequence, which ends where the watch ends") { site throws(Failure) in
            let watch = try await site.watch()
            for name: FileName in ["a", "b"] { site.folder.make(name) }
            site.folder.removeAll()
            var found: [DirectoryEvent] = []
            do throws(WatchError) {
                for try await event in watch.events { found.append(event) }
            } catch {
                throw Failure("no event: \(error)")
            }
            let expected: Set<DirectoryEvent> = [.created("a"), .created("b"), .removed("a"), .removed("b")]
            try require(Set(found) == expected && found.count == 4, "found \(found)")
        },
    ]
}

/// Has a state and an executor of its own, as an application's actors do.
private actor Elsewhere {
    private let watch: DirectoryWatch
    private(set) var calls = 0

    init(_ watch: DirectoryWatch) { self.watch = watch }

    func next() async -> Wait {
        await wait { () throws(WatchError) in
            calls += 1
            return try await watch.next(timeout: Site.patience)
        }
    }
}
