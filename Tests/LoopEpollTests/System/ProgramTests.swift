import Glibc
import Testing

/// What is true of a whole process: a program of its own shows it.
@Suite("A program on the loop") struct ProgramTests {
    @Test("Every feature of tasks leaves the process with one thread, and the pool's threads end with the loop") func threads() {
        let child = ChildProcess.taskProgram("threads")
        #expect(child.lines() == ["one thread"])
        #expect(child.reap() == 0)
    }

    @Test("A signal unwinds the fibers, which say their last words, and ends the program in time", arguments: [SIGINT, SIGTERM])
    func unwinds(signal: Int32) {
        let child = ChildProcess.taskProgram("unwind")
        #expect(child.line() == "ready")
        child.send(signal)
        #expect(child.lines() == ["a fiber ended: cancelled", "goodbye", "left: 0 fibers, 0 operations", "in time"])
        #expect(child.reap() == 128 + signal)
    }

    @Test("A fiber that does not listen costs no more than the bound") func deaf() {
        let child = ChildProcess.taskProgram("deaf")
        #expect(child.line() == "ready")
        child.send(SIGTERM)
        #expect(child.lines() == ["a fiber ended: cancelled", "goodbye", "left: 1 fibers, 0 operations", "in time"])
        #expect(child.reap() == 128 + SIGTERM)
    }

    @Test("A second signal ends the time for last words") func twice() {
        let child = ChildProcess.taskProgram("twice")
        #expect(child.line() == "ready")
        child.send(SIGINT)
        while let line = child.line(), line != "again" {}
        child.send(SIGINT)
        #expect(child.lines() == ["left: 1 fibers, 0 operations", "in time"])
        #expect(child.reap() == 128 + SIGINT)
    }
}
