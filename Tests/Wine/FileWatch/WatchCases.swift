internal import FileWatch
internal import LoopCore
internal import _Concurrency

/// Examples/FileWatch, a stranger's adapter, on the real port: its Windows half watches real directories by `ReadDirectoryChangesW`.
enum WatchCases {
    static var suite: Suite {
        Suite(
            "FileWatch",
            on: [
                watching("a file that is made, written to, renamed and removed is an event each", life),
                watching("a file that is moved out is removed, and one that is moved in is created", moves),
                watching("a directory inside is an entry, and what happens in it is none of the watch's business", inside),
                watching("names come whole: the longest, and those beyond ASCII", names),
                watching("an event that comes while somebody waits is handed to him", handed),
                watching("two watches of a directory get every event each", two),
                watching("more changes than the kernel's buffer holds are a rescan, and the watch goes on", overflow),
                watching("a queue that nobody empties is full at its limit, and a rescan stands for the rest", full),
                watching("a wait that times out or is cancelled loses no event", lossless),
                watching("a directory that is removed ends the watch, behind its last events", gone),
                watching("a close keeps what was read, tells whoever waits, and can be said twice", closed),
                watching("a watch that is dropped gives its handle back", dropped),
                watching("a watch that is open when the loop is shut down is left to nobody", open),
                watching("what cannot be watched is refused with the system's code", refused),
            ])
    }

    /// A case whose directory is removed with all that is in it.
    private static func watching(
        _ name: String, _ body: @escaping @Sendable (isolated EventLoop, WatchSite) async throws(Unmet) -> Void
    ) -> Win32Case {
        Win32Case(name) { bench throws(Unmet) in
            let site = WatchSite(loop: bench.loop)
            try bench.run { loop throws(Unmet) in try await body(loop, site) }
        }
    }

    private static func life(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let watch = try await site.watch()
        site.folder.make("a")
        try await site.expect(watch, .created("a"))
        site.folder.write(to: "a")
        try await site.expect(watch, .modified("a"))
        site.folder.rename("a", to: "b")
        try await site.expect(watch, .renamed(from: "a", to: "b"))
        site.folder.remove("b")
        try await site.expect(watch, .removed("b"))
        await watch.close()
    }

    private static func moves(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let elsewhere = WatchedFolder("elsewhere", in: site.folder)
        site.folder.make("a")
        let watch = try await site.watch()
        site.folder.rename("a", to: "b", in: elsewhere)
        try await site.expect(watch, .removed("a"))
        elsewhere.rename("b", to: "c", in: site.folder)
        try await site.expect(watch, .created("c"))
        await watch.close()
    }

    private static func inside(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let watch = try await site.watch()
        let inner = WatchedFolder("inner", in: site.folder)
        inner.make("a")
        inner.remove("a")
        inner.removeItself()
        try await site.expect(watch, .created("inner"), .removed("inner"))
        await watch.close()
    }

    private static func names(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let longest = String(repeating: "x", count: 200)
        let watch = try await site.watch()
        for name in [longest, "ä € 😀"] {
            site.folder.make(name)
            try await site.expect(watch, .created(FileName(bytes: Array(name.utf8))))
        }
        await watch.close()
    }

    private static func handed(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let watch = try await site.watch()
        let waiting = await waitElsewhere(watch, loop)
        site.folder.make("a")
        let found = await waiting.value
        guard found == .event(.created("a")) else { throw .failed("found \(found.words)") }
        await watch.close()
    }

    private static func two(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let (first, second) = (try await site.watch(), try await site.watch())
        site.folder.make("a")
        for watch in [first, second] { try await site.expect(watch, .created("a")) }
        await first.close()
        site.folder.make("b")
        try await site.expect(second, .created("b"))
        await second.close()
    }
}
