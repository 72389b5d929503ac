import Portloop

// The programs of this project that the benchmarks run, in one executable: each prints one line of key=value, as the floors and peers do.

let arguments = CommandLine.arguments
switch arguments.count > 1 ? arguments[1] : "" {
case "echo": runEcho()
case "echo-tasks": runEchoTasks(takingOver: arguments.last == "take-over")
case "echo-sockets": runEchoSockets()
case "seam": runSeam(operations: number(2, 20_000_000), depth: number(3, 64))
case "timers": runTimers(count: number(2, 1_000_000))
case "post": runPost(count: number(2, 10_000_000))
case "wake": runWake(rounds: number(2, 200_000), cpus: arguments.count > 4 ? (number(3, 0), number(4, 0)) : nil)
case "tasks": runTasks(rounds: number(2, 21), only: arguments.count > 3 ? arguments[3] : nil)
case "task":
    let runner = arguments.count > 3 ? TaskRunner(rawValue: arguments[3]) ?? .loop : .loop
    runTask(arguments.count > 2 ? arguments[2] : "", on: runner, steps: arguments.count > 4 ? number(4, 0) : nil)
case "fairness": runFairness(yielders: number(2, 1_000), probes: number(3, 2_000))
case "sleepers": runSleepers(count: number(2, 100_000), onLoop: !(arguments.count > 3 && arguments[3] == "default"))
case "cancel-storm": runCancelStorm(count: number(2, 100_000))
case "idle-sockets": runIdleSockets(count: number(2, 10_000))
case "serial": runSerial(Array(arguments.dropFirst(2)))
case "storm": runStorm(milliseconds: number(2, 500))
default:
    print(
        """
        usage: PortloopBench echo | echo-tasks [take-over] | echo-sockets | seam [OPERATIONS DEPTH] | timers [COUNT] | post [COUNT] |
            wake [ROUNDS CPU CPU] |
            storm [MS] | fairness [FIBERS PROBES] |
            idle-sockets [COUNT] | sleepers [COUNT [default]] | cancel-storm [COUNT] | tasks [ROUNDS [NAME]] |
            task NAME [loop | take-over | default | bare [STEPS]]
        """)
}

/// The argument at a place, or what is usual.
func number(_ place: Int, _ usual: Int) -> Int { arguments.count > place ? Int(arguments[place]) ?? usual : usual }

/// The loop every program runs on; without one there is nothing to measure.
func makeLoop() -> EventLoop {
    do { return try EventLoop.native() } catch { trap("no completion port: \(error)") }
}
