import Testing

@testable import LoopCore

/// The loop asks the runtime for the task that runs, where the language would retain it: the two must say the same.
@Suite("The current task") struct CurrentTaskTests {
    @Test("Where no task runs there is none, and nothing is cancelled") func none() {
        let journal = Journal()
        RealThread.elsewhere { journal.add("\(TaskIdentity.current == nil) \(TaskIdentity.isCurrentCancelled)") }
        #expect(journal.lines == ["true false"])
    }

    @Test("Each task is itself, and cancelled when the language says so") func itself() async {
        for _ in 0..<2 {
            let task = Task {
                let before = TaskIdentity.isCurrentCancelled
                cancelThisTask()
                return (TaskIdentity.current, before, TaskIdentity.isCurrentCancelled, Task.isCancelled)
            }
            let (identity, before, after, said) = await task.value
            #expect(identity == TaskIdentity(task))
            #expect(!before && after && said)
        }
        #expect(!TaskIdentity.isCurrentCancelled)
    }

    @Test("Whoever runs within a fiber's step is asked whether he is cancelled himself", arguments: [true, false])
    func withinAStep(fiberIsCancelled: Bool) throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let journal = Journal()
            bench.loop.run { loop in
                let fiber = loop.spawn { loop async in
                    if fiberIsCancelled { cancelThisTask() }
                    _ = Task.immediate {
                        if !fiberIsCancelled { cancelThisTask() }
                        journal.add("inner \(await loop.completesInline(on: handle))")
                    }
                    journal.add("fiber \(await loop.completesInline(on: handle))")
                }
                await fiber.value
            }
            #expect(journal.lines == ["inner \(fiberIsCancelled)", "fiber \(!fiberIsCancelled)"])
            #expect(bench.ops.metrics.operations.preparedEver == 1)
        }
    }
}

extension EventLoop {
    /// Whether an operation that is done at once is done, and not refused because the task is cancelled.
    fileprivate func completesInline(on handle: AssociatedHandle) async -> Bool {
        do throws(OperationError) {
            return try await operations.perform(on: handle) { op in op.completedInline(count: 0) }.end == .finished
        } catch {
            return false
        }
    }
}
