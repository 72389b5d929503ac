import StreamOps
import Testing

@testable import SerialOps

@Suite("Frames") struct FrameTests {
    @Test("However the bytes are cut into pieces the frames are the same", arguments: UInt64(1)...200)
    func cuts(seed: UInt64) {
        var random = SplitMix(seed)
        let frames = (0..<20).map { _ in (0..<Int(random.next() % 30)).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
        let lines = frames.map { $0.map { $0 == 0x0A || $0 == 0x0D ? 0x2E : $0 } }
        #expect(split(LineSplitter(), lines.flatMap { $0 + [0x0D, 0x0A] }, &random).frames == lines)
        #expect(split(LineSplitter(), lines.flatMap { $0 + [0x0A] }, &random).frames == lines)
        let ends: [UInt8] = [0x2E, 0x2F, 0x2E, 0x2E]
        let free = frames.map { $0.map { $0 & 0x0F } }
        #expect(split(DelimiterSplitter(ends), free.flatMap { $0 + ends }, &random).frames == free)
        for isBigEndian in [true, false] {
            for width in 1...4 {
                let coded = frames.flatMap { frame in
                    let length = (0..<width).map { UInt8(truncatingIfNeeded: frame.count >> (8 * (isBigEndian ? width - 1 - $0 : $0))) }
                    return length + frame
                }
                #expect(split(LengthSplitter(width: width, isBigEndian: isBigEndian), coded, &random).frames == frames)
            }
        }
        let some = frames.filter { !$0.isEmpty }
        #expect(split(SlipSplitter(), some.flatMap { SlipSplitter.encoded($0) }, &random).frames == some)
        let fixed = split(FixedSplitter(7), frames.flatMap { $0 }, &random)
        #expect(fixed.frames.flatMap { $0 } == Array(frames.flatMap { $0 }.prefix(fixed.frames.count * 7)))
        #expect(fixed.rest < 7)
    }

    @Test("Noise ends no splitter, takes every byte once, and never goes beyond what is there", arguments: UInt64(1)...300)
    func noise(seed: UInt64) {
        var random = SplitMix(seed)
        let bytes = (0..<Int(random.next() % 2_000)).map { _ in
            // Half of it is what splitters look for.
            random.next() % 2 == 0
                ? UInt8(truncatingIfNeeded: random.next()) : [0x0A, 0x0D, 0xC0, 0xDB, 0xDC, 0, 1][Int(random.next() % 7)]
        }
        for found in [
            split(LineSplitter(limit: 50), bytes, &random), split(DelimiterSplitter([0, 1], limit: 20), bytes, &random),
            split(LengthSplitter(width: 2, limit: 100), bytes, &random), split(SlipSplitter(limit: 64), bytes, &random),
            split(FixedSplitter(13), bytes, &random),
        ] {
            #expect(found.taken + found.rest == bytes.count)
        }
    }

    @Test("What is too long for a line is cut, and for SLIP skipped") func tooLong() {
        var random = SplitMix(1)
        let lines = split(LineSplitter(limit: 4), Array("abcdefg\nhi\n".utf8), &random)
        #expect(lines.frames == [Array("abcd".utf8), Array("efg".utf8), Array("hi".utf8)])
        let slip = split(SlipSplitter(limit: 4), [1, 2, 3, 4, 5, 0xC0, 9, 0xC0], &random)
        #expect(slip.frames == [[5], [9]])
        #expect(slip.skipped == 4)
    }

    private struct Found {
        var frames: [[UInt8]] = []
        var taken = 0
        var skipped = 0
        var rest = 0
    }

    /// Shows a splitter the bytes in random pieces, as a port does.
    // SAFETY: bytes have no padding to be looked at.
    private func split(_ splitter: some FrameSplitter, _ bytes: [UInt8], _ random: inout SplitMix) -> Found {
        var (splitter, found, shown) = (splitter, Found(), 0)
        while true {
            let waiting = Array(bytes[found.taken..<shown])
            let answer = unsafe waiting.isEmpty ? .needsMore : splitter.split(waiting.span.bytes)
            switch answer {
            case .frame(let frame, let taken):
                #expect(taken > 0 && taken <= waiting.count)
                found.frames.append(frame)
                found.taken += taken
            case .skip(let count):
                #expect(count > 0 && count <= waiting.count)
                found.taken += count
                found.skipped += count
            case .needsMore:
                guard shown < bytes.count else {
                    found.rest = waiting.count
                    return found
                }
                shown = min(bytes.count, shown + 1 + Int(random.next() % 40))
            }
        }
    }
}
