/// What a driver of Windows tells of itself. winbase.h has the numbers.
package enum Win32SerialEvents {
    /// What is waited for: EV_CTS, EV_DSR, EV_RLSD, EV_BREAK, EV_ERR, EV_RING. Bytes are not: they are read.
    package static let mask: UInt32 = 0x8 | 0x10 | 0x20 | 0x40 | 0x80 | 0x100

    private static let lineMask: UInt32 = 0x8 | 0x10 | 0x20 | 0x100
    private static let breakMask: UInt32 = 0x40

    /// Whether a mask speaks of lines, so that somebody has to ask how they are now.
    package static func isOfLines(_ found: UInt32) -> Bool { found & lineMask != 0 }

    /// The events of a mask, with the errors that the driver has noted (CE_RXOVER and its like) and the lines as they are now.
    package static func events(_ found: UInt32, errors: UInt32, lines: ModemLines) -> [SerialEvent] {
        var events: [SerialEvent] = []
        var changed: ModemLines = []
        if found & 0x8 != 0 { changed.insert(.cts) }
        if found & 0x10 != 0 { changed.insert(.dsr) }
        if found & 0x20 != 0 { changed.insert(.cd) }
        if found & 0x100 != 0 { changed.insert(.ri) }
        if !changed.isEmpty { events.append(.linesChanged(changed, now: lines)) }
        // A break is an event and an error, and one of them is enough.
        if found & breakMask != 0 || errors & 0x10 != 0 { events.append(.breakReceived) }
        if errors & 0x4 != 0 { events.append(.parityError) }
        if errors & 0x8 != 0 { events.append(.framingError) }
        if errors & 0x2 != 0 { events.append(.overrun) }
        if errors & 0x1 != 0 { events.append(.bufferOverrun) }
        return events
    }
}
