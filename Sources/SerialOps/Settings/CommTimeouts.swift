/// When a driver of Windows ends a read or a write by itself: a `COMMTIMEOUTS`, field for field, in milliseconds.
package struct CommTimeouts: Hashable, Sendable {
    package var readInterval: UInt32
    package var readMultiplier: UInt32
    package var readConstant: UInt32
    package var writeMultiplier: UInt32
    package var writeConstant: UInt32

    /// A read ends with the first bytes, and waits for them without ever waking anybody. A write ends when it is done: its time is the
    /// loop's business.
    ///
    /// On Windows MAXDWORD, MAXDWORD and a time mean this. The time is as long as can be: 49 days, after which a read ends with nothing
    /// and is made again. Wine takes the first two at their word and waits for a full buffer. Under Wine MAXDWORD, 0 and 0 wait for the
    /// first bytes, which on Windows mean not to wait at all.
    package static func untilFirstBytes(onWine: Bool) -> CommTimeouts {
        CommTimeouts(
            readInterval: .max, readMultiplier: onWine ? 0 : .max, readConstant: onWine ? 0 : longestConstant, writeMultiplier: 0,
            writeConstant: 0)
    }

    /// MAXDWORD itself would make the first two numbers mean something else.
    private static let longestConstant = UInt32.max - 1

    package init(readInterval: UInt32, readMultiplier: UInt32, readConstant: UInt32, writeMultiplier: UInt32, writeConstant: UInt32) {
        self.readInterval = readInterval
        self.readMultiplier = readMultiplier
        self.readConstant = readConstant
        self.writeMultiplier = writeMultiplier
        self.writeConstant = writeConstant
    }
}
