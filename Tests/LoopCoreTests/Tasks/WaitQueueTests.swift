import Testing

@testable import LoopCore

@Suite("Queues in which tasks wait") struct WaitQueueTests {
    @Test("Who was cancelled before does not wait, and whoever waits keeps his place") func cancelledBefore() throws {
        try Bench.run { bench in
            let journal = Journal()
            let queue = Confined(bench.ops.makeWaitQueue(), of: bench.ops)
            bench.loop.run { loop async in
                let first = loop.spawn { loop async in journal.add("first \(await queue.on(loop).waitsToEnd())") }
                await Task.yield()
                let cancelled = loop.spawn { loop async in
                    cancelThisTask()
                    journal.add("cancelled \(await queue.on(loop).waitsToEnd())")
                    journal.add("\(queue.on(loop).count) in the queue")
                }
                await cancelled.value
                let last = loop.spawn { loop async in journal.add("last \(await queue.on(loop).waitsToEnd())") }
                await Task.yield()
                queue.on(loop).wakeFirst()
                await first.value
                queue.on(loop).wakeFirst()
                await last.value
                #expect(!queue.on(loop).wakeFirst())
            }
            #expect(journal.lines == ["cancelled false", "1 in the queue", "first true", "last true"])
        }
    }

    @Test("A task that begins within a step of a cancelled fiber's waits all the same") func withinCancelled() throws {
        try Bench.run { bench in
            let journal = Journal()
            let queue = Confined(bench.ops.makeWaitQueue(), of: bench.ops)
            bench.loop.run { loop async in
                let outer = loop.spawn { loop async in
                    cancelThisTask()
                    let inner = Task.immediate { journal.add("inner \(await queue.on(loop).waitsToEnd())") }
                    journal.add("outer \(await queue.on(loop).waitsToEnd())")
                    journal.add("\(queue.on(loop).count) in the queue")
                    queue.on(loop).wakeFirst()
                    await inner.value
                }
                await outer.value
            }
            #expect(journal.lines == ["outer false", "1 in the queue", "inner true"])
        }
    }

    @Test("What a queue is made of lives for as long as somebody waits in it, and no longer", arguments: [true, false])
    func outlived(isWoken: Bool) throws {
        try Bench.run { bench in
            weak var list: WaitList?
            do {
                let queue = bench.ops.makeWaitQueue()
                list = queue.list
                let confined = Confined(queue, of: bench.ops)
                let came = bench.loop.run { loop async in
                    let waiting = loop.spawn { loop async in await confined.on(loop).waitsToEnd() }
                    await Task.yield()
                    if isWoken { confined.on(loop).wakeFirst() } else { waiting.cancel() }
                    return await waiting.value
                }
                #expect(came == isWoken && list != nil)
            }
            #expect(list == nil)
        }
    }

    @Test("A queue that its owner lets go of is kept by whoever waits in it") func letGo() throws {
        try Bench.run { bench in
            weak var list: WaitList?
            let owner = QueueOwner(bench.ops.makeWaitQueue())
            list = owner.queue?.list
            let confined = Confined(owner, of: bench.ops)
            let came = bench.loop.run { loop async in
                let waiting = loop.spawn { loop async in await confined.on(loop).queue?.waitsToEnd(for: .milliseconds(5)) }
                await Task.yield()
                confined.on(loop).queue = nil
                return await waiting.value
            }
            #expect(came == false && list == nil)
        }
    }

    @Test("Who is woken on the way into the queue leaves no timer behind") func wokenOnTheWay() throws {
        try Bench.run { bench in
            let (core, queue) = (bench.loop.core, bench.ops.makeWaitQueue())
            let place = try core.takePlace(in: queue.list, timeout: .seconds(1), for: .adapter, bench.loop)
            #expect(core.timers.count == 1)
            #expect(queue.wakeFirst() && queue.isEmpty)
            #expect(core.timers.count == 0)
            #expect(core.parked.takeWakeup(place) == .signalled && core.parked.count == 0)
        }
    }

    @Test("A list that is dropped while somebody stands in it ends the process with a sentence") func dropped() async {
        let dropped = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let table = ParkTable()
            _ = table.reserve(in: WaitList())
        }
        expectSentence("A list was dropped while tasks wait in it: 1. This is a bug of Portloop.", in: dropped)
    }
}

/// Somebody who may let go of a queue.
private final class QueueOwner {
    var queue: WaitQueue?

    init(_ queue: WaitQueue) { self.queue = queue }
}

extension WaitQueue {
    /// Whether the wait ended by its turn.
    fileprivate nonisolated(nonsending) func waitsToEnd(for timeout: Duration? = nil) async -> Bool {
        do throws(WaitError) {
            try await wait(timeout: timeout)
            return true
        } catch { return false }
    }
}
