import Rfc2217
import Testing

@Suite("The parser of Telnet") struct TelnetParserTests {
    @Test("Data, options, subnegotiations and commands are told apart") func everything() {
        #expect(events([sample]) == sampleEvents)
    }

    @Test("Wherever a stream is cut, in two or in three, it says the same") func splits() {
        for first in 0...sample.count {
            for second in first...sample.count {
                #expect(
                    events([sample[..<first], sample[first..<second], sample[second...]]) == sampleEvents, "cut at \(first), \(second)")
            }
        }
        #expect(events(sample.map { [$0] }) == sampleEvents)
    }

    @Test("Whatever comes, in whatever pieces, says the same as in one", arguments: 0..<200 as Range<UInt64>) func fuzz(seed: UInt64) {
        var numbers = Numbers(state: seed)
        let bytes = numbers.bytes(2_000)
        #expect(events(numbers.pieces(of: bytes)) == events([bytes]))
    }

    @Test("Every byte of a device goes through and comes back, alone and between others") func transparent() {
        var numbers = Numbers(state: 1)
        for bytes in (0...255).map({ [UInt8($0)] }) + (0..<100).map({ numbers.bytes($0) }) where !bytes.isEmpty {
            #expect(events([Telnet.escaped(bytes)]) == [.data(bytes)])
            #expect(events([Telnet.subnegotiation(7, bytes)]) == [.subnegotiation(7, bytes)])
        }
        #expect(Telnet.escaped([]) == [])
    }

    @Test("A subnegotiation has a longest length: of a longer one nothing is said, and what follows is understood") func tooLong() {
        let longest = [UInt8](repeating: 255, count: TelnetParser.subnegotiationBytesMax)
        #expect(events([Telnet.subnegotiation(1, longest) + [9]]) == [.subnegotiation(1, longest), .data([9])])
        #expect(events([Telnet.subnegotiation(1, longest + [0]) + [9]]) == [.data([9])])
        #expect(events([Telnet.subnegotiation(1, longest + longest + longest) + [9]]) == [.data([9])])
    }

    @Test("An escape inside a subnegotiation that is neither doubled nor the end is left out with its byte") func strayEscape() {
        #expect(events([[255, 250, 44, 1, 255, 7, 2, 255, 240, 3]]) == [.subnegotiation(44, [1, 2]), .data([3])])
    }
}
