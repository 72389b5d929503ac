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
    say("main actor again", loop)
}

private actor FreeActor {
    func say(_ loop: EventLoop) { print("an actor of no executor: \(place(loop))") }
}

private func add(_ left: Int, _ right: Int) async -> Int { left + right }

private func say(_ what: String, _ loop: EventLoop) { print("\(what): \(place(loop))") }

private func place(_ loop: EventLoop) -> String { loop.isOnLoopThread ? "on the loop" : "elsewhere" }
