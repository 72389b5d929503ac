#if PORTLOOP_WINDOWS
import Portloop

/// Ends the process with a status.
func exitWith(_ status: Int32) -> Never { trap("portloop ends with status \(status)") }

/// The demonstration needs pseudo-terminals, which this platform lacks.
func runDemo() -> Int32 {
    print("portloop demo: shown on Linux only")
    return 1
}

/// The list needs a loop with helper threads for serial ports, which this platform has not got yet.
func runList(_ options: [String]) -> Int32 {
    print("portloop list: shown on Linux only")
    return 1
}

/// The terminal needs a console of Linux's.
func runTerm(_ arguments: [String]) -> Int32 {
    print("portloop term: made for Linux only")
    return 1
}
#endif
