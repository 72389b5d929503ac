internal import LoopCore

/// Finds a delimiter in bytes that grow, without looking at any of them twice.
package struct DelimiterSearch: Sendable {
    package let delimiter: [UInt8]
    /// No occurrence begins before this.
    private var next = 0

    package init(_ delimiter: [UInt8]) { self.delimiter = delimiter }

    /// The bytes found last are gone: begins again with the first.
    package mutating func restart() { next = 0 }

    /// Where the first occurrence ends, within a limit; nil while there is none.
    package mutating func end(in bytes: RawSpan, limit: Int) -> Int? {
        let last = min(bytes.byteCount, limit) - delimiter.count
        while next <= last {
            if matches(bytes, at: next) { return next + delimiter.count }
            next += 1
        }
        return nil
    }

    private func matches(_ bytes: RawSpan, at start: Int) -> Bool {
        for place in delimiter.indices where bytes.byte(at: start + place) != delimiter[place] { return false }
        return true
    }
}
