import Testing

@testable import FileWatch

@Suite("Records of ReadDirectoryChangesW") struct NotifyInformationTests {
    @Test("Each action is its change, in the order of the chain")
    func actions() {
        let chain = notify((1, "a"), (2, "bc"), (3, "def"), (4, "ghij"), (5, "klmno"))
        #expect(
            notifyChanges(chain) == [.created("a"), .removed("bc"), .modified("def"), .movedFrom("ghij", 0), .movedTo("klmno", 0)])
    }

    @Test("An action that is not known happened to the file all the same")
    func unknownAction() { #expect(notifyChanges(notify((99, "a"), (0, "b"))) == [.modified("a"), .modified("b")]) }

    @Test("Names keep every code unit: beyond the first plane, and halves of pairs")
    func names() {
        #expect(notifyChanges(notify((1, "ä€😀"))) == [.created("ä€😀")])
        let half = bytes(0, 1, 4) + [0x3D, 0xD8, 0x41, 0x00]
        #expect(notifyChanges(half) == [.created(FileName(bytes: [0xED, 0xA0, 0xBD, 0x41]))])
        let lastHalf = bytes(0, 1, 4) + [0x41, 0x00, 0x3D, 0xD8]
        #expect(notifyChanges(lastHalf) == [.created(FileName(bytes: [0x41, 0xED, 0xA0, 0xBD]))])
        let wrongOrder = bytes(0, 1, 4) + [0x00, 0xDE, 0x3D, 0xD8]
        #expect(notifyChanges(wrongOrder) == [.created(FileName(bytes: [0xED, 0xB8, 0x80, 0xED, 0xA0, 0xBD]))])
    }

    @Test("No bytes mean that the kernel could not keep up")
    func empty() { #expect(notifyChanges([]) == [.lost(.systemQueueFull)]) }

    @Test("What lies behind the last record is nothing")
    func slack() { #expect(notifyChanges(notify((1, "a")) + [1, 2, 3, 4, 5]) == [.created("a")]) }

    @Test("A name of no or of half a code unit is a loss", arguments: [0, 1, 3] as [UInt32])
    func oddName(length: UInt32) {
        #expect(notifyChanges(bytes(0, 1, length) + [65, 0, 66, 0]) == [.lost(.unreadable)])
    }

    @Test("A name that reaches over the end is a loss", arguments: [6, 0x7FFF_FFFE, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF] as [UInt32])
    func tooLong(length: UInt32) {
        #expect(notifyChanges(bytes(0, 1, length) + [65, 0, 66, 0]) == [.lost(.unreadable)])
    }

    @Test("A distance that leads out of the buffer, into its own record or to an odd place is a loss behind that record")
    func distances() {
        let second = notify((2, "b"))
        for next: UInt32 in [1, 4, 12, 13, 15, 17, 18, 32, 36, 0x7FFF_FFFC, 0x8000_0000, 0xFFFF_FFFC] {
            let first = bytes(next, 1, 2) + [65, 0, 0, 0]
            #expect(notifyChanges(first + second) == [.created("A"), .lost(.unreadable)], "distance \(next)")
        }
        #expect(notifyChanges(bytes(16, 1, 2) + [65, 0, 0, 0] + second) == [.created("A"), .removed("b")])
    }

    @Test("Records without padding between them, as Wine sends them, are read all the same")
    func unpadded() {
        #expect(notifyChanges(bytes(14, 1, 2) + [65, 0] + notify((2, "b"))) == [.created("A"), .removed("b")])
    }

    @Test("A chain that is cut off anywhere is what is whole before the cut, and a loss")
    func truncated() {
        let chain = notify((1, "a"), (2, "some longer name"), (3, "b"))
        // Where each record's name ends, behind which the padding may be missing.
        let ends = [14, 16 + 12 + 32, 60 + 14]
        #expect(ends.last == chain.count)
        let changes = notifyChanges(chain)
        for cut in 1...chain.count {
            let whole = ends.count { $0 <= cut }
            let expected = Array(changes[..<whole]) + (cut == chain.count ? [] : [.lost(.unreadable)])
            #expect(notifyChanges(Array(chain[..<cut])) == expected, "cut at \(cut)")
        }
    }

    @Test("Noise is read to its end without harm")
    func noise() {
        var noise = Noise(seed: 3)
        for _ in 0..<2_000 {
            let count = noise.number(below: 200)
            #expect(notifyChanges(noise.bytes(count)).count <= count / 12 + 1)
        }
    }

    @Test("A chain with a byte of noise in it is read to its end without harm")
    func damage() {
        var noise = Noise(seed: 4)
        let chain = notify((1, "a"), (4, "before"), (5, "after"), (3, "b"))
        for _ in 0..<2_000 {
            var damaged = chain
            damaged[noise.number(below: damaged.count)] = UInt8(noise.number(below: 256))
            #expect(notifyChanges(damaged).count <= damaged.count / 12 + 1)
        }
    }
}
