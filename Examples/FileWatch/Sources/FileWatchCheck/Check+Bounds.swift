import FileWatch
import Portloop

extension Check {
    static let bounds: [Check] = [
        Check("a queue that nobody empties is full at its limit, and a rescan stands for the rest") { site throws(Failure) in
            let watch = try await site.watch(eventsMax: 4)
            for number in 0..<10 { site.folder.make("\(number)") }
            for number in 0..<4 { try await site.expect(watch, .created("\(number)")) }
            try await site.expect(watch, .rescan(.watchQueueFull))
            site.folder.make("later")
            try await site.expect(watch, .created("later"))
            await watch.close()
        },
        Check("events that the kernel dropped are a rescan, and the watch goes on") { site throws(Failure) in
            let renames = try overflow()
            let watch = try await site.watch(eventsMax: 4 * renames)
            site.renameBackAndForth(renames)
            try await site.takeUntilRescan(watch, renames)
            site.folder.make("later")
            try await site.expect(watch, .created("later"))
            await watch.close()
        },
        Check("a directory whose end the kernel dropped has ended all the same") { site throws(Failure) in
            let renames = try overflow()
            let watch = try await site.watch(eventsMax: 4 * renames)
            site.renameBackAndForth(renames)
            site.folder.removeAll()
            try await site.takeUntilRescan(watch, renames)
            try await site.expectEnd(watch, .deleted)
        },
        Check("a wait that times out loses no event") { site throws(Failure) in
            let watch = try await site.watch()
            for round in 0..<20 {
                let found = await wait { () throws(WatchError) in try await watch.next(timeout: .microseconds(100 * round)) }
                try require(found == .failure(.timedOut), "found \(found)")
                site.folder.make("\(round)")
                try await site.expect(watch, .created("\(round)"))
            }
            await watch.close()
        },
        Check("a wait that is cancelled ends at once, and loses no event") { site throws(Failure) in
            let watch = try await site.watch()
            for round in 0..<100 {
                let waiting = await site.waitElsewhere(watch)
                // In every other round the event is there before the cancel, though nobody has seen it.
                if round % 2 == 0 { site.folder.make("\(round)") }
                let began = site.loop.now
                waiting.cancel()
                let found = await waiting.value
                let took = site.loop.now.nanoseconds(since: began)
                try require(took < 1_000_000_000, "the cancel took \(took) ns")
                if round % 2 == 1 { site.folder.make("\(round)") }
                if found == .success(.created("\(round)")) { continue }
                try require(found == .failure(.cancelled), "found \(found)")
                try await site.expect(watch, .created("\(round)"))
            }
            await watch.close()
        },
        Check("one may wait at a time") { site throws(Failure) in
            let watch = try await site.watch()
            let waiting = await site.waitElsewhere(watch)
            let found = await wait { () throws(WatchError) in try await watch.next() }
            try require(found == .failure(.alreadyWaiting), "found \(found)")
            site.folder.make("a")
            let first = await waiting.value
            try require(first == .success(.created("a")), "found \(first)")
            await watch.close()
        },
    ]

    /// How many renames there must be for the kernel's queue to overflow.
    private static func overflow() throws(Failure) -> Int {
        guard let eventsMax = System.queuedEventsMax else { throw Failure("the limit of the kernel's queue is not known") }
        try require(eventsMax <= 1 << 18, "fs.inotify.max_queued_events is \(eventsMax): set 16384, which is the default")
        return eventsMax / 2 + 10
    }
}

extension Site {
    /// Two events each. The loop does not turn meanwhile, so nobody reads them.
    fileprivate func renameBackAndForth(_ count: Int) {
        folder.make("a")
        for number in 0..<count { folder.rename(number % 2 == 0 ? "a" : "b", to: number % 2 == 0 ? "b" : "a") }
    }

    /// What there was room for, and then the rescan.
    fileprivate func takeUntilRescan(_ watch: DirectoryWatch, _ count: Int) async throws(Failure) {
        try await expect(watch, .created("a"))
        var renames = 0
        while true {
            switch try await next(watch) {
            case .renamed: renames += 1
            case .removed: break  // Half of a rename, whose other half was the first to be dropped.
            case .rescan(.systemQueueFull): return try require((count - 12...count).contains(renames), "\(renames) of \(count) renames")
            case let other: throw Failure("found \(other.map { "\($0)" } ?? "the end")")
            }
        }
    }
}
