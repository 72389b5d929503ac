import Testing

/// A test that sleeps is slow when it passes and flaky when it does not: it advances the clock instead.
private let sleeps = Rule(.tests) { file in
    file.lines.filter { sleepsOnTheWallClock($0.code) }.map {
        Offence(path: file.path, line: $0.number, complaint: "a test does not sleep: advance the clock")
    }
}

private let disabledWithoutText = Rule(.tests) { file in
    ["disabled(", "withKnownIssue"].flatMap { file.lines(mentioning: $0) }.filter { !saysWhy($0) }.map {
        Offence(path: file.path, line: $0.number, complaint: "say which assertion is wrong at present, and why")
    }
}

/// So that one runner counts every test, and none skips itself by throwing.
private let otherFrameworks = Rule(.tests) { file in
    ["XCTest", "XCTSkip"].flatMap { file.lines(mentioning: $0) }.map {
        Offence(path: file.path, line: $0.number, complaint: "XCTest does not run here: use Swift Testing")
    }
}

private func saysWhy(_ line: Line) -> Bool {
    line.code.contains("\"") && !line.text.contains("\"\"")
}

/// `Task.sleep` on a clock of ours is what some tests are about, and so is `loop.sleep`.
private func sleepsOnTheWallClock(_ code: String) -> Bool {
    guard code.contains("sleep") else { return false }
    if ["usleep", "nanosleep", "Thread.sleep"].contains(where: { code.mentions($0) }) { return true }
    if code.mentions("Task.sleep") { return !code.contains("clock:") }
    return code.ranges(of: "sleep(").contains { found in
        let before = code[..<found.lowerBound]
        return before.last.map { !$0.isWord && $0 != "." } ?? true && !before.trimmed.hasSuffix("func")
    }
}

@Suite("Habits of tests") struct TestHabitTests {
    @Test("No test sleeps on the wall clock") func wallClock() {
        sleeps.holds()
    }

    @Test("A sleep on the wall clock is found, one on the loop's clock is not") func wallClockSample() {
        let sample = """
            usleep(1)
            sleep(1)
            try await Task.sleep(for: .seconds(1))
            Thread.sleep(forTimeInterval: 1)
            try await loop.sleep(for: .seconds(1))
            try await Task.sleep(for: .seconds(1), clock: LoopClock(loop))
            func sleep(for duration: Duration) {}
            """
        #expect(sleeps.caught("Tests/Sample.swift", sample) == [1, 2, 3, 4])
    }

    @Test("A disabled test says why") func disabled() {
        disabledWithoutText.holds()
    }

    @Test("A test that is disabled without a word is found") func disabledSample() {
        let sample = "@Test(.disabled())\n@Test(.disabled(if: a))\n@Test(.disabled(\"b\"))\nwithKnownIssue {\nwithKnownIssue(\"\") {\n"
        #expect(disabledWithoutText.caught("Tests/Sample.swift", sample) == [1, 2, 4, 5])
    }

    @Test("Every test is a Swift Testing test") func frameworks() {
        otherFrameworks.holds()
    }

    @Test("A test of XCTest is found, and one that skips itself") func frameworksSample() {
        #expect(otherFrameworks.caught("Tests/Sample.swift", "import XCTest\nthrow XCTSkip(\"later\")\n") == [1, 2])
    }
}
