internal import FileWatch
internal import LoopCore
internal import _Concurrency

// What is lost, and how a watch ends.
extension WatchCases {
    /// The first read gives the kernel 16 KiB to keep changes in while nobody reads; each of these is 400 bytes of it.
    static func overflow(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let watch = try await site.watch()
        let name = String(repeating: "x", count: 190)
        for number in 0..<100 { site.folder.make("\(name)\(number)") }
        var created = 0
        while true {
            let event = try await site.next(watch)
            if case .rescan(.systemQueueFull) = event { break }
            guard case .created = event else { throw .failed("found \(event?.words ?? "the end") after \(created) files") }
            created += 1
        }
        guard created < 100 else { throw .failed("\(created) files, and a rescan behind them") }
        site.folder.make("later")
        while try await site.next(watch) != .created("later") {}
        await watch.close()
    }

    static func full(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        for number in 0..<10 { site.folder.make("\(number)") }
        let watch = try await site.watch(eventsMax: 4)
        // Each is read for itself, and nobody takes them.
        for number in 0..<10 {
            site.folder.remove("\(number)")
            for _ in 0..<20 { await Task.yield() }
        }
        for number in 0..<4 { try await site.expect(watch, .removed(FileName(bytes: Array("\(number)".utf8)))) }
        try await site.expect(watch, .rescan(.watchQueueFull))
        await watch.close()
    }

    static func lossless(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let watch = try await site.watch()
        for round in 0..<20 {
            let late = await wait(watch, .microseconds(100 * round))
            guard late == .failed(.timedOut) else { throw .failed("round \(round): found \(late.words)") }
            let waiting = await waitElsewhere(watch, loop)
            let name = FileName(bytes: Array("\(round)".utf8))
            // In every other round the event is there before the cancel, though nobody has seen it.
            if round % 2 == 0 { site.folder.makeFolder("\(round)") }
            waiting.cancel()
            let found = await waiting.value
            if round % 2 == 1 { site.folder.makeFolder("\(round)") }
            if found == .event(.created(name)) { continue }
            guard found == .failed(.cancelled) else { throw .failed("round \(round): found \(found.words)") }
            try await site.expect(watch, .created(name))
        }
        await watch.close()
    }

    static func gone(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let watch = try await site.watch()
        site.folder.make("a")
        site.folder.remove("a")
        guard site.folder.removeItself() == 0 else { throw .failed("a directory that is watched cannot be removed") }
        try await site.expect(watch, .created("a"), .removed("a"))
        let end = await wait(watch, .seconds(1))
        await watch.close()
        if end == .failed(.timedOut) { throw .notApplicable("a kernel that tells a watch of its directory's end") }
        guard end == .end else { throw .failed("found \(end.words)") }
        guard await watch.ending == .deleted else { throw .failed("it ended for another reason") }
    }

    static func closed(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let before = WatchedFolder.openHandles
        let watch = try await site.watch()
        for name in ["a", "b"] { site.folder.make(name) }
        try await site.expect(watch, .created("a"))
        await watch.close()
        guard WatchedFolder.openHandles == before else { throw .failed("its handle is open") }
        await watch.close()
        site.folder.make("c")
        try await site.expect(watch, .created("b"))
        try await site.expectEnd(watch, .closed)

        let idle = try await site.watch()
        let waiting = await waitElsewhere(idle, loop)
        await idle.close()
        let found = await waiting.value
        guard found == .end else { throw .failed("found \(found.words)") }
        try await site.expectEnd(idle, .closed)
    }

    static func dropped(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let before = WatchedFolder.openHandles
        try await useAndDrop(loop, site, before)
        let bound = loop.now.advanced(by: 10_000_000_000)
        while WatchedFolder.openHandles > before, loop.now < bound { await Task.yield() }
        guard WatchedFolder.openHandles == before else { throw .failed("its handle is open") }
    }

    private static func useAndDrop(_ loop: isolated EventLoop, _ site: WatchSite, _ before: Int) async throws(Unmet) {
        let watch = try await site.watch()
        guard WatchedFolder.openHandles == before + 1 else { throw .failed("a watch has one handle") }
        site.folder.make("a")
        try await site.expect(watch, .created("a"))
    }

    static func open(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        let watch = try await site.watch()
        site.folder.make("a")
        try await site.expect(watch, .created("a"))
    }

    static func refused(_ loop: isolated EventLoop, _ site: WatchSite) async throws(Unmet) {
        site.folder.make("file")
        let (noSuchFile, notADirectory) = (Int32(2), Int32(267))
        for (name, code) in [("missing", noSuchFile), ("file", notADirectory)] {
            let refusal = await site.refusal("\(site.folder.text)\\\(name)")
            guard refusal == .system(.open, SystemCode(rawValue: code)) else {
                throw .failed("\(name): \(refusal?.words ?? "it is watched")")
            }
        }
    }
}
