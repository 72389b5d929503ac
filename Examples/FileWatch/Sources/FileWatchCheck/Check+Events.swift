import FileWatch

extension Check {
    static let events: [Check] = [
        Check("a file that is made, written to, changed and removed is an event each") { site throws(Failure) in
            let watch = try await site.watch()
            site.folder.make("a")
            site.folder.write(to: "a")
            site.folder.changeMode(of: "a")
            site.folder.remove("a")
            try await site.expect(watch, .created("a"), .modified("a"), .attributesChanged("a"), .removed("a"))
            await watch.close()
        },
        Check("a rename within the directory is one event, with both names") { site throws(Failure) in
            site.folder.make("before")
            let watch = try await site.watch()
            site.folder.rename("before", to: "after")
            try await site.expect(watch, .renamed(from: "before", to: "after"))
            await watch.close()
        },
        Check("a file that is moved out is removed, and one that is moved in is created") { site throws(Failure) in
            site.folder.makeFolder("elsewhere")
            site.folder.make("a")
            let elsewhere = Folder("elsewhere", in: site.folder)
            let watch = try await site.watch()
            site.folder.rename("a", to: "b", in: elsewhere)
            try await site.expect(watch, .removed("a"))
            elsewhere.rename("b", to: "c", in: site.folder)
            try await site.expect(watch, .created("c"))
            // Two halves of different moves are no rename.
            site.folder.rename("c", to: "d", in: elsewhere)
            elsewhere.make("e")
            elsewhere.rename("e", to: "f", in: site.folder)
            try await site.expect(watch, .removed("c"), .created("f"))
            await watch.close()
        },
        Check("a directory inside is an entry, and what happens in it is none of the watch's business") { site throws(Failure) in
            let watch = try await site.watch()
            site.folder.makeFolder("inner")
            let inner = Folder("inner", in: site.folder)
            inner.make("a")
            inner.remove("a")
            site.folder.removeFolder("inner")
            try await site.expect(watch, .created("inner"), .removed("inner"))
            await watch.close()
        },
        Check("names come as they are, the longest and those that are no text too") { site throws(Failure) in
            let longest = FileName(bytes: [UInt8](repeating: UInt8(ascii: "x"), count: 255))
            let noText = FileName(bytes: [0xFF, 0xFE, 0x20])
            let watch = try await site.watch()
            for name in [longest, noText, "ä € 😀"] { site.folder.make(name) }
            try await site.expect(watch, .created(longest), .created(noText), .created("ä € 😀"))
            await watch.close()
        },
        Check("an event that comes while somebody waits is handed to him") { site throws(Failure) in
            let watch = try await site.watch()
            let waiting = await site.waitElsewhere(watch)
            site.folder.make("a")
            let found = await waiting.value
            try require(found == .success(.created("a")), "found \(found)")
            await watch.close()
        },
        Check("two watches of a directory get every event each") { site throws(Failure) in
            let (first, second) = (try await site.watch(), try await site.watch())
            site.folder.make("a")
            site.folder.remove("a")
            for watch in [first, second] { try await site.expect(watch, .created("a"), .removed("a")) }
            await first.close()
            site.folder.make("b")
            try await site.expect(second, .created("b"))
            await second.close()
        },
    ]
}
