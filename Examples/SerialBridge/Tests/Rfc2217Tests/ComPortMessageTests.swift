import Rfc2217
import Testing

private let values: [UInt8] = [0, 1, 8, 127, 240, 255]
private let messages: [ComPortMessage] =
    values.flatMap { value -> [ComPortMessage] in
        [
            .dataSize(value), .parity(value), .stopSize(value), .control(value), .lineState(value), .modemState(value),
            .lineStateMask(value),
            .modemStateMask(value), .purge(value), .signature([value, 255, value]), .baud(UInt32(value) << 24 | UInt32(value)),
        ]
    } + [.suspend, .resume, .signature([]), .baud(115_200)]

@Suite("The messages of RFC 2217") struct ComPortMessageTests {
    @Test("What is encoded is understood on the other side, and not on the same", arguments: messages) func bothWays(
        message: ComPortMessage
    ) {
        for side in [ComPortMessage.Side.client, .server] {
            guard case .subnegotiation(Telnet.comPort, let payload) = events([message.encoded(from: side)]).first else {
                Issue.record("\(message) is no subnegotiation")
                continue
            }
            #expect(ComPortMessage(payload, from: side) == message)
            #expect(ComPortMessage(payload, from: side == .client ? .server : .client) == nil)
        }
    }

    @Test("The bytes are those of the RFC") func bytes() {
        #expect(ComPortMessage.baud(9_600).encoded(from: .client) == [255, 250, 44, 1, 0, 0, 0x25, 0x80, 255, 240])
        #expect(ComPortMessage.baud(0xFF).encoded(from: .server) == [255, 250, 44, 101, 0, 0, 0, 255, 255, 255, 240])
        #expect(ComPortMessage.control(8).encoded(from: .server) == [255, 250, 44, 105, 8, 255, 240])
        #expect(ComPortControl.dtrOn.rawValue == 8 && ComPortControl.rtsOff.rawValue == 12 && ComPortControl.outboundDsr.rawValue == 19)
    }

    @Test("What has too few bytes, or a code of nobody's, is none") func malformed() {
        #expect(ComPortMessage([], from: .client) == nil)
        for code in UInt8.min...255 {
            let isWhole = [0, 8, 9].contains(code)
            #expect((ComPortMessage([code], from: .client) != nil) == isWhole)
        }
        for count in 0..<4 { #expect(ComPortMessage([1] + [UInt8](repeating: 1, count: count), from: .client) == nil) }
        #expect(ComPortMessage([5], from: .server) == nil)
    }

    @Test("Whatever comes is a message or none", arguments: 0..<50 as Range<UInt64>) func fuzz(seed: UInt64) {
        var numbers = Numbers(state: seed)
        for count in 0..<60 {
            let payload = numbers.bytes(count)
            guard let message = ComPortMessage(payload, from: .client) else { continue }
            let encoded = message.encoded(from: .client)
            #expect(events([encoded]).count == 1)
        }
    }
}

@Suite("States of lines") struct LineStateTests {
    @Test("A change is told to who asked for the line or for its changes") func modem() {
        let state = ModemState(now: [.cts, .carrier], changed: [.cts, .dsr])
        #expect(state.rawValue == 128 | 16 | 2 | 1)
        #expect(state.masked(by: 255) == state.rawValue)
        #expect(state.masked(by: 16) == 17)
        #expect(state.masked(by: 1) == 1)
        #expect(state.masked(by: 128) == nil)
        #expect(state.masked(by: 0) == nil)
        #expect(ModemState(now: [.cts], changed: []).masked(by: 255) == nil)
    }

    @Test("Of a ring the end alone is a change") func ring() {
        #expect(ModemState(now: [.ring], changed: [.ring]).rawValue == 64)
        #expect(ModemState(now: [], changed: [.ring]).rawValue == 4)
    }

    @Test("What happened to characters is told to who asked for it") func line() {
        let state: LineState = [.breakReceived, .parityError]
        #expect(state.masked(by: 0) == nil)
        #expect(state.masked(by: 255) == 20)
        #expect(state.masked(by: 16) == 16)
        #expect(state.masked(by: 2) == nil)
    }
}
