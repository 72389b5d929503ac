#if PORTLOOP_LINUX
import Glibc
import LoopCore
import LoopEpoll

// A program of its own, started by tests: what it shows is true of a whole process, its threads and its signals.
//
// usage: TaskProgram threads | unwind | deaf | twice

switch CommandLine.arguments.dropFirst().first {
case "threads": useEveryFeature()
case "unwind": unwind(deafFibers: 0)
case "deaf": unwind(deafFibers: 1)
case "twice": unwind(deafFibers: 1, sayReadyTwice: true)
default:
    say("usage: TaskProgram threads | unwind | deaf | twice")
    exit(2)
}
#endif
