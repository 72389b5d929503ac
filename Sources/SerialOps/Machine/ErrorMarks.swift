/// Takes out of a stream what a Linux driver marks damage with (PARMRK): `FF 00 b` for a byte with a wrong parity or no stop bit,
/// `FF 00 00` for a break, and `FF FF` for a byte FF. The bytes come in pieces, and a mark may be cut anywhere.
struct ErrorMarks {
    private var state = State.plain
    /// Bytes that have come out so far: the place of the next.
    private var place: UInt64 = 0

    private enum State {
        case plain
        case marked
        case damaged
    }

    /// The bytes without their marks, and what these said.
    mutating func decode(_ bytes: RawSpan) -> (bytes: [UInt8], events: [SerialEvent]) {
        var (plain, events) = ([UInt8](), [SerialEvent]())
        plain.reserveCapacity(bytes.byteCount)
        for index in 0..<bytes.byteCount {
            let byte = bytes.byte(at: index)
            switch (state, byte) {
            case (.plain, 0xFF): state = .marked
            case (.plain, _): plain.append(byte)
            case (.marked, 0x00): state = .damaged
            case (.marked, _):
                // FF FF; anything else behind FF no driver sends, and is kept as it is.
                if byte != 0xFF { plain.append(0xFF) }
                plain.append(byte)
                state = .plain
            case (.damaged, 0x00):
                events.append(.breakReceived)
                state = .plain
            case (.damaged, _):
                events.append(.damaged(byte, at: place + UInt64(plain.count)))
                plain.append(byte)
                state = .plain
            }
        }
        place += UInt64(plain.count)
        return (plain, events)
    }
}
