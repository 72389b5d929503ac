@testable import FileWatch

// Records as the two kernels write them, for tests to take apart again.

/// One `struct inotify_event`, its name padded to a multiple of 16 as the kernel does. No name at all where there is none.
func inotify(_ mask: InotifyMask, _ name: FileName? = nil, cookie: UInt32 = 0, watch: Int32 = 1) -> [UInt8] {
    var padded = name.map { $0.bytes + [0] } ?? []
    while padded.count % 16 != 0 { padded.append(0) }
    return bytes(UInt32(bitPattern: watch), mask.rawValue, cookie, UInt32(padded.count)) + padded
}

/// A chain of `FILE_NOTIFY_INFORMATION`, each record padded to a multiple of four.
func notify(_ changes: (action: UInt32, name: String)...) -> [UInt8] {
    var chain: [UInt8] = []
    for (place, change) in changes.enumerated() {
        let units = change.name.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let next = place == changes.count - 1 ? 0 : (12 + units.count + 3) & ~3
        let record = bytes(UInt32(next), change.action, UInt32(units.count)) + units
        chain += record + [UInt8](repeating: 0, count: max(0, next - record.count))
    }
    return chain
}

/// Numbers as this machine, and both kernels on it, write them: the lowest byte first.
func bytes(_ numbers: UInt32...) -> [UInt8] {
    numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) } }
}

// SAFETY: a byte has no padding that a view of bytes could show.
func inotifyChanges(_ bytes: [UInt8]) -> [Change] {
    var found: [Change] = []
    unsafe InotifyRecords.forEachChange(in: bytes.span.bytes) { found.append($0) }
    return found
}

// SAFETY: as above.
func notifyChanges(_ bytes: [UInt8]) -> [Change] {
    var found: [Change] = []
    unsafe NotifyInformation.forEachChange(in: bytes.span.bytes) { found.append($0) }
    return found
}

/// Bytes that no kernel sends, the same in every run.
struct Noise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func number(below bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(number(below: 256)) } }
}
