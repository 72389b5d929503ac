import Testing

@testable import FileWatch

@Suite("The queue of events") struct EventQueueTests {
    @Test("Events come out in the order in which they went in, whenever they are taken")
    func order() {
        var queue = EventQueue(eventsMax: 100)
        var (next, expected) = (0, 0)
        for round in 0..<200 {
            for _ in 0..<(round % 7) where next - expected < 100 {
                queue.append(.created("\(next)"))
                next += 1
            }
            for _ in 0..<(round % 5) where expected < next {
                #expect(queue.takeFirst() == .created("\(expected)"))
                expected += 1
            }
        }
        while let event = queue.takeFirst() {
            #expect(event == .created("\(expected)"))
            expected += 1
        }
        #expect(expected == next && queue.isEmpty)
    }

    @Test("One that is full has a rescan at its end, and takes nothing more until that is taken", arguments: [1, 2, 5])
    func full(eventsMax: Int) {
        var queue = EventQueue(eventsMax: eventsMax)
        for number in 0..<20 { queue.append(.created("\(number)")) }
        for number in 0..<eventsMax {
            #expect(queue.takeFirst() == .created("\(number)"))
            queue.append(.created("covered"))
        }
        #expect(queue.takeFirst() == .rescan(.watchQueueFull))
        #expect(queue.takeFirst() == nil)
        queue.append(.created("fresh"))
        #expect(queue.takeFirst() == .created("fresh"))
    }

    @Test("A rescan of the kernel's covers what comes behind it, as one of the queue's own does")
    func rescan() {
        var queue = EventQueue(eventsMax: 10)
        queue.append(.created("a"))
        queue.append(.rescan(.systemQueueFull))
        queue.append(.created("b"))
        queue.append(.rescan(.unreadable))
        #expect(queue.takeFirst() == .created("a"))
        #expect(queue.takeFirst() == .rescan(.systemQueueFull))
        #expect(queue.isEmpty)
    }
}

@Suite("Joining the halves of a rename") struct RenameJoinerTests {
    private func events(_ changes: Change...) -> [DirectoryEvent] {
        var joiner = RenameJoiner()
        var events: [DirectoryEvent] = []
        for change in changes { joiner.add(change) { events.append($0) } }
        joiner.flush { events.append($0) }
        #expect(!joiner.isWaiting)
        return events
    }

    @Test("Two halves in a row are a rename, and so are two of those")
    func joined() {
        #expect(events(.movedFrom("a", 1), .movedTo("b", 1)) == [.renamed(from: "a", to: "b")])
        #expect(
            events(.movedFrom("a", 1), .movedTo("b", 1), .movedFrom("b", 2), .movedTo("a", 2)) == [
                .renamed(from: "a", to: "b"), .renamed(from: "b", to: "a"),
            ])
    }

    @Test("A half that stays alone is an entry that is gone, or that is new")
    func alone() {
        #expect(events(.movedFrom("a", 1)) == [.removed("a")])
        #expect(events(.movedTo("b", 1)) == [.created("b")])
        #expect(events(.movedFrom("a", 1), .movedTo("b", 2)) == [.removed("a"), .created("b")])
        #expect(events(.movedFrom("a", 1), .movedFrom("b", 2), .movedTo("c", 2)) == [.removed("a"), .renamed(from: "b", to: "c")])
    }

    @Test("A record in between parts them, and the order stays")
    func between() {
        #expect(
            events(.movedFrom("a", 1), .created("a"), .movedTo("b", 1)) == [.removed("a"), .created("a"), .created("b")])
        #expect(events(.movedFrom("a", 1), .lost(.systemQueueFull)) == [.removed("a"), .rescan(.systemQueueFull)])
        #expect(events(.movedFrom("a", 1), .gone(.deleted)) == [.removed("a")])
    }
}
