import Portloop

/// A program whose only thread is the loop's, whatever kind of task it starts.
@main enum Main {
    static func main() throws {
        let loop = try EventLoop.native()
        TakeOver.run(loop) { await everything(loop) }
        print("threads: \(threadCount())")
    }
}

@MainActor private func everything(_ loop: EventLoop) async {
    say("main actor", loop)
    await Task { say("Task", loop) }.value
    await Task.detached { say("Task.detached", loop) }.value
    await Task(priority: .high) { say("a task of high priority", loop) }.value
    let children = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<3 { group.addTask { loop.isOnLoopThread } }
        var places: [Bool] = []
        while let place = await group.next() { places.append(place) }
        return places
    }
    print("group: \(children)")
    async let sum = add(2, 3)
    print("async let: \(await sum)")
    try? await Task.sleep(for: .milliseconds(2))
    say("Task.sleep", loop)
    try? await Task.sleep(for: .milliseconds(2), clock: .suspending)
    say("Task.sleep on the other clock", loop)
    let sleeper = Task {
        do { try await Task.sleep(for: .seconds(3_600)) } catch { return "cancelled" }
        return "slept"
    }
    await Task.yield()
    sleeper.cancel()
    print("a sleeper: \(await sleeper.value)")
    await FreeActor().say(loop)
    await loop.spawn { loop async in say("fiber", loop) }.value
    await loop.spawn { loop async in print("a function that a fiber calls: \(await placeElsewhere(loop))") }.value
    let child = await withTaskGroup(of: Int.self) { group in
        group.addFiber(on: loop) { loop async in
            print("a step of a fiber in a group: \(await step(to: Journal(on: loop)))")
            try? await loop.sleep(for: .milliseconds(2))
            return await add(4, 5)
        }
        return await group.next() ?? 0
    }
    print("a fiber of a group: \(child)")
    await Task(executorPreference: OtherExecutor(loop)) {
        await withTaskGroup(of: Void.self) { group in
            group.addFiber(on: loop) { loop in print("a fiber of a task elsewhere: \(prefersTheLoop(loop) ? "at home" : "elsewhere")") }
        }
    }.value
    await Task { print("a step of a task: \(await step(to: Journal(on: loop)))") }.value
    await loop.spawn { loop async in print("a step of a fiber: \(await step(to: Journal(on: loop)))") }.value
    say("main actor again", loop)
}

private actor FreeActor {
    func say(_ loop: EventLoop) { print("an actor of no executor: \(place(loop))") }
}

private actor Journal: OnLoop {
    nonisolated let loop: EventLoop
    private(set) var isEmpty = true
    init(on loop: EventLoop) { self.loop = loop }
    func note() { isEmpty = false }
}

/// Another executor, whose jobs the loop runs.
private final class OtherExecutor: TaskExecutor {
    let loop: EventLoop
    init(_ loop: EventLoop) { self.loop = loop }
    func enqueue(_ job: consuming ExecutorJob) { loop.enqueue(job) }
}

/// Whether what the current task calls outside of any isolation is run by the loop's own executor.
private func prefersTheLoop(_ loop: EventLoop) -> Bool {
    withUnsafeCurrentTask { $0?.unownedTaskExecutor } == loop.asUnownedTaskExecutor()
}

/// What a step from an actor to another costs, where both are the loop's.
private nonisolated(nonsending) func step(to journal: Journal) async -> String {
    journal.loop.post { _ in journal.assumeIsolated { $0.note() } }
    return await journal.isEmpty ? "queues nothing" : "comes behind what was queued"
}

@concurrent private func placeElsewhere(_ loop: EventLoop) async -> String { place(loop) }

private func add(_ left: Int, _ right: Int) async -> Int { left + right }

private func say(_ what: String, _ loop: EventLoop) { print("\(what): \(place(loop))") }

private func place(_ loop: EventLoop) -> String { loop.isOnLoopThread ? "on the loop" : "elsewhere" }
