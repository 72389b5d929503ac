import Portloop

// The `portloop` command. Each subcommand is a file of its own; this one only chooses.
switch CommandLine.arguments.dropFirst().first {
case "demo": exitWith(runDemo())
case "term": exitWith(runTerm(Array(CommandLine.arguments.dropFirst(2))))
case "help", "--help", "-h", nil:
    print(
        """
        usage: portloop COMMAND

          demo    three seconds of a loop at work: a pty pair, a socket pair, timers, and a thread that wakes it
          term    a terminal on a serial port: portloop term DEVICE -b 115200
          help    this text
        """)
case .some(let other):
    print("portloop: there is no command \(other); portloop help lists them")
    exitWith(2)
}
