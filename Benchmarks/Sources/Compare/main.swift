// Runs the benchmarks: our programs beside the floors and the peers, in interleaved rounds of one run, and prints ratios with their bounds.
//
//     Benchmarks/run            what the README publishes
//     Benchmarks/run seam 5     one comparison, five rounds

import Foundation

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    print("usage: Compare PEERS_DIRECTORY PORTLOOP_BENCH [COMPARISON|all] [ROUNDS]")
    exit(2)
}
let programs = Programs(peers: arguments[1], ours: arguments[2])
let chosen = arguments.count > 3 ? arguments[3] : "all"
let rounds = arguments.count > 4 ? Int(arguments[4]) ?? 20 : 20
var ran = 0
for comparison in programs.comparisons where chosen == "all" || comparison.name.hasPrefix(chosen) {
    comparison.run(rounds: rounds)
    ran += 1
}
if ran == 0 {
    print("no comparison is called \(chosen)")
    exit(2)
}
