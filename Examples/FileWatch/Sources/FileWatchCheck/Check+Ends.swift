import FileWatch
import Portloop

extension Check {
    static let ends: [Check] = [
        Check("a directory that is removed ends the watch, behind its last events") { site throws(Failure) in
            let watch = try await site.watch()
            site.folder.make("a")
            site.folder.removeAll()
            try await site.expect(watch, .created("a"), .removed("a"))
            try await site.expectEnd(watch, .deleted)
            try await site.expectEnd(watch, .deleted)
            await watch.close()
        },
        Check("a directory that is moved away ends the watch") { site throws(Failure) in
            site.folder.makeFolder("inner")
            let watch = try await site.watch(Folder("inner", in: site.folder).path)
            Folder("inner", in: site.folder).make("a")
            site.folder.rename("inner", to: "other")
            Folder("other", in: site.folder).make("b")
            try await site.expect(watch, .created("a"))
            try await site.expectEnd(watch, .movedAway)
        },
        Check("whoever waits when the directory goes is told") { site throws(Failure) in
            let watch = try await site.watch()
            let waiting = await site.waitElsewhere(watch)
            site.folder.removeAll()
            let found = await waiting.value
            try require(found == .success(nil), "found \(found)")
        },
        Check("a close keeps what was read, tells whoever waits, and can be said twice") { site throws(Failure) in
            let watch = try await site.watch()
            for name: FileName in ["a", "b", "c"] { site.folder.make(name) }
            try await site.expect(watch, .created("a"))
            let began = site.loop.now
            await watch.close()
            await watch.close()
            let took = site.loop.now.nanoseconds(since: began)
            try require(took < 1_000_000_000, "the close took \(took) ns")
            site.folder.make("d")
            try await site.expect(watch, .created("b"), .created("c"))
            try await site.expectEnd(watch, .closed)

            let idle = try await site.watch()
            let waiting = await site.waitElsewhere(idle)
            await idle.close()
            let found = await waiting.value
            try require(found == .success(nil), "found \(found)")
            try await site.expectEnd(idle, .closed)
        },
        Check("a watch that is dropped gives its handle back") { site throws(Failure) in
            try await site.useAndDrop()
            let bound = site.loop.now.advanced(by: 10_000_000_000)
            while System.openHandles > 0, site.loop.now < bound { await Task.yield() }
            try require(System.openHandles == 0, "its handle is open")
        },
        Check("a watch that is open when the loop is shut down is left to nobody") { site throws(Failure) in
            let watch = try await site.watch()
            site.folder.make("a")
            try await site.expect(watch, .created("a"))
        },
        Check("what cannot be watched is refused with the system's code") { site throws(Failure) in
            site.folder.make("file")
            let missing = await site.refusal("\(site.folder.path)/missing")
            try require(missing == .system(.watch, System.noSuchEntry), "found \(missing.map { "\($0)" } ?? "a watch")")
            let file = await site.refusal("\(site.folder.path)/file")
            try require(file == .system(.watch, System.notADirectory), "found \(file.map { "\($0)" } ?? "a watch")")
        },
    ]
}

extension Site {
    fileprivate func useAndDrop() async throws(Failure) {
        let watch = try await watch()
        folder.make("a")
        try await expect(watch, .created("a"))
    }

    fileprivate func refusal(_ path: String) async -> WatchError? {
        do throws(WatchError) {
            _ = try await DirectoryWatch(on: loop, path: path)
            return nil
        } catch { return error }
    }
}
