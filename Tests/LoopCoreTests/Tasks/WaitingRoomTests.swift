import Testing

@testable import LoopCore

@Suite("The room in which tasks wait") struct WaitingRoomTests {
    @Test("A task that begins within a fiber's step waits for itself: each is cancelled alone", arguments: [true, false])
    func withinAStep(waitsForOperation: Bool) throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let journal = Journal()
            try bench.loop.run { loop in
                let id = waitsForOperation ? try loop.startRead(handle) : nil
                let outer = loop.spawn { loop async in
                    let inner = Task.immediate {
                        journal.add("within")
                        let hasEnded = await loop.waitIsCancelled(id)
                        journal.add("inner \(hasEnded)")
                    }
                    journal.add("behind")
                    journal.add("outer \(await loop.waitIsCancelled(nil))")
                    for _ in 0..<4 { await Task.yield() }
                    journal.add("inner waits")
                    inner.cancel()
                    for _ in 0..<100 { await Task.yield() }
                    journal.add("behind the cancel")
                    await inner.value
                }
                for _ in 0..<4 { await Task.yield() }
                outer.cancel()
                await outer.value
            }
            #expect(journal.lines == ["within", "behind", "outer true", "inner waits", "inner true", "behind the cancel"])
        }
    }

    @Test("A task that is escalated while it waits overtakes those that were woken before it") func escalated() throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop async in
                let gate = Gate(on: loop)
                var fibers: [Fiber<Void, Never>] = []
                for name in ["first", "second", "third"] {
                    let fiber = loop.spawn(priority: .background) { _ async in
                        try? await gate.wait()
                        journal.add(name)
                    }
                    fibers.append(fiber)
                }
                for _ in 0..<4 { await Task.yield() }
                fibers[2].escalate(to: .high)
                gate.open()
            }
            #expect(journal.lines == ["third", "first", "second"])
        }
    }
}

extension EventLoop {
    /// Waits for an operation, or before a gate that nobody opens, and says if it was cancelled.
    fileprivate func waitIsCancelled(_ id: OperationID?) async -> Bool {
        if let id { return await end(of: id) == .success(.cancelled) }
        do throws(WaitError) {
            try await Gate(on: self).wait()
            return false
        } catch { return error == .cancelled }
    }
}
