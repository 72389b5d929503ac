import Rfc2217
import Testing

@Suite("The options of Telnet") struct TelnetOptionsTests {
    @Test("What is agreed to is agreed to once, what is not is refused") func agreement() {
        var options = TelnetOptions()
        #expect(options.hear(.will, Telnet.comPort) == TelnetVerb.do.encoded(Telnet.comPort))
        #expect(options.isComPort)
        #expect(options.hear(.will, Telnet.comPort) == [])
        #expect(options.hear(.do, Telnet.echo) == TelnetVerb.will.encoded(Telnet.echo))
        #expect(options.hear(.will, Telnet.echo) == TelnetVerb.dont.encoded(Telnet.echo))
        #expect(options.hear(.do, 99) == TelnetVerb.wont.encoded(99))
        #expect(options.hear(.wont, 99) == [])
        #expect(options.hear(.dont, 99) == [])
    }

    @Test("What was asked for is not answered when it is agreed to, and may be refused") func asking() {
        var options = TelnetOptions()
        #expect(options.ask(ours: [Telnet.binary], theirs: [Telnet.binary]) == [255, 251, 0, 255, 253, 0])
        #expect(options.ask(ours: [Telnet.binary], theirs: [Telnet.binary]) == [])
        #expect(options.hear(.do, Telnet.binary) == [])
        #expect(options.hear(.wont, Telnet.binary) == [])
        // What is on may be ended, and that is said back.
        #expect(options.hear(.dont, Telnet.binary) == TelnetVerb.wont.encoded(Telnet.binary))
        #expect(options.hear(.dont, Telnet.binary) == [])
    }

    @Test("The option of the port begins and ends with either side's word") func comPort() {
        for verb in [TelnetVerb.will, .do] {
            var options = TelnetOptions()
            #expect(!options.isComPort)
            _ = options.hear(verb, Telnet.comPort)
            #expect(options.isComPort)
            _ = options.hear(verb == .will ? .wont : .dont, Telnet.comPort)
            #expect(!options.isComPort)
        }
    }

    @Test(
        "Two sides that answer each other come to an end, whatever they ask for and were told before", arguments: 0..<500 as Range<UInt64>)
    func quiet(seed: UInt64) {
        var numbers = Numbers(state: seed)
        let all: [UInt8] = [0, 1, 3, 44, 99]
        func some() -> [UInt8] { all.filter { _ in Bool.random(using: &numbers) } }
        var (here, there) = (TelnetOptions(ours: Set(some()), theirs: Set(some())), TelnetOptions(ours: Set(some()), theirs: Set(some())))
        for _ in 0..<4 {
            if let verb = TelnetVerb.allCases.randomElement(using: &numbers), let option = all.randomElement(using: &numbers) {
                _ = here.hear(verb, option)
            }
        }
        var (toThere, toHere) = (here.ask(ours: some(), theirs: some()), there.ask(ours: some(), theirs: some()))
        var rounds = 0
        while !toThere.isEmpty || !toHere.isEmpty, rounds < 100 {
            (toThere, toHere) = (answers(&here, to: toHere), answers(&there, to: toThere))
            rounds += 1
        }
        #expect(rounds < 5)
    }
}

private func answers(_ options: inout TelnetOptions, to bytes: [UInt8]) -> [UInt8] {
    events([bytes]).flatMap { event in
        guard case .option(let verb, let option) = event else { return [UInt8]() }
        return options.hear(verb, option)
    }
}
