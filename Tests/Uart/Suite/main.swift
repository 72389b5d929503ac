#if PORTLOOP_LINUX
import Glibc

// The program that the guest of `scripts/test-uart` runs. usage: UartSuite [--list] [WORD...]

let words = CommandLine.arguments.dropFirst()
if words.first == "--list" {
    for test in allCases { Console.say(test.name) }
    exit(0)
}
let chosen = words.isEmpty ? allCases : allCases.filter { test in words.contains { test.name.contains($0) } }
exit(Report.run(chosen))
#endif
