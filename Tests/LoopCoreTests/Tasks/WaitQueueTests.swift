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
}

extension WaitQueue {
    /// Whether the wait ended by its turn.
    fileprivate nonisolated(nonsending) func waitsToEnd() async -> Bool {
        do throws(WaitError) {
            try await wait()
            return true
        } catch { return false }
    }
}
