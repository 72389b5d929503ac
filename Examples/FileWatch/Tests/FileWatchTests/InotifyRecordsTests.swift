import Testing

@testable import FileWatch

@Suite("Records of inotify") struct InotifyRecordsTests {
    @Test("Each bit of an entry is its change")
    func entries() {
        let records =
            inotify(.create, "a") + inotify(.delete, "b") + inotify(.modify, "c") + inotify(.attributes, "d")
            + inotify(.movedFrom, "e", cookie: 7) + inotify(.movedTo, "f", cookie: 7)
        #expect(
            inotifyChanges(records) == [
                .created("a"), .removed("b"), .modified("c"), .attributesChanged("d"), .movedFrom("e", 7), .movedTo("f", 7),
            ])
    }

    @Test("Names of every length come whole, up to the longest there is", arguments: [1, 14, 15, 16, 17, 31, 32, 254, 255])
    func names(length: Int) {
        let name = FileName(bytes: (0..<length).map { UInt8(1 + $0 % 255) })
        #expect(inotifyChanges(inotify(.create, name) + inotify(.delete, name)) == [.created(name), .removed(name)])
    }

    @Test("An entry that is a directory is an entry")
    func directories() {
        let isDirectory = InotifyMask(rawValue: 0x4000_0000)
        #expect(inotifyChanges(inotify([.create, isDirectory], "a")) == [.created("a")])
    }

    @Test("What happens to the directory itself has no name")
    func directory() {
        #expect(inotifyChanges(inotify(.queueOverflow, watch: -1)) == [.lost(.systemQueueFull)])
        #expect(inotifyChanges(inotify(.deleteSelf)) == [.gone(.deleted)])
        #expect(inotifyChanges(inotify(.ignored)) == [.gone(.deleted)])
        #expect(inotifyChanges(inotify(.moveSelf)) == [.gone(.movedAway)])
        #expect(inotifyChanges(inotify(.unmount)) == [.gone(.unmounted)])
        #expect(inotifyChanges(inotify(.attributes) + inotify(.modify) + inotify(.create, "a")) == [.created("a")])
    }

    @Test("Bits that nobody asked for are no change")
    func others() {
        #expect(inotifyChanges(inotify(InotifyMask(rawValue: 0x20), "a") + inotify(InotifyMask(rawValue: 0))).isEmpty)
    }

    @Test("Nothing is nothing")
    func empty() { #expect(inotifyChanges([]).isEmpty) }

    @Test("An entry without a name is a loss: something happened, and nobody knows to what")
    func namelessEntry() {
        for mask: InotifyMask in [.create, .delete, .movedFrom, .movedTo] {
            #expect(inotifyChanges(inotify(mask)) == [.lost(.unreadable)])
            #expect(inotifyChanges(inotify(mask, "")) == [.lost(.unreadable)])
        }
    }

    @Test("A name without an end is a loss, and the record behind it is read")
    func endlessName() {
        let endless = bytes(1, InotifyMask.create.rawValue, 0, 4) + [65, 66, 67, 68]
        #expect(inotifyChanges(endless + inotify(.delete, "a")) == [.lost(.unreadable), .removed("a")])
    }

    @Test("Records that are cut off anywhere are those before the cut, and a loss")
    func truncated() {
        let records = [inotify(.create, "a"), inotify(.delete, "a-name-of-more-than-sixteen-bytes"), inotify(.deleteSelf)]
        let changes = inotifyChanges(records.flatMap { $0 })
        let ends = records.indices.map { records[...$0].reduce(0) { $0 + $1.count } }
        for cut in 0...(ends.last ?? 0) {
            let whole = ends.count { $0 <= cut }
            let isClean = cut == 0 || ends.contains(cut)
            let expected = Array(changes[..<whole]) + (isClean ? [] : [.lost(.unreadable)])
            #expect(inotifyChanges(Array(records.flatMap { $0 }[..<cut])) == expected, "cut at \(cut)")
        }
    }

    @Test("A name that reaches over the end is a loss", arguments: [17, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF] as [UInt32])
    func tooLong(length: UInt32) {
        let liar = bytes(1, InotifyMask.create.rawValue, 0, length) + [UInt8](repeating: 65, count: 15) + [0]
        #expect(inotifyChanges(inotify(.create, "a") + liar) == [.created("a"), .lost(.unreadable)])
    }

    @Test("Noise is read to its end without harm")
    func noise() {
        var noise = Noise(seed: 1)
        for _ in 0..<2_000 {
            let count = noise.number(below: 200)
            #expect(inotifyChanges(noise.bytes(count)).count <= count / 16 + 1)
        }
    }

    @Test("Records with a byte of noise in them are read to their end without harm")
    func damage() {
        var noise = Noise(seed: 2)
        let records = inotify(.create, "a") + inotify(.movedFrom, "b", cookie: 1) + inotify(.movedTo, "c", cookie: 1)
        for _ in 0..<2_000 {
            var damaged = records
            damaged[noise.number(below: damaged.count)] = UInt8(noise.number(below: 256))
            #expect(inotifyChanges(damaged).count <= damaged.count / 16 + 1)
        }
    }
}
