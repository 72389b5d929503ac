import Testing

@testable import SerialOps

@Suite("Marks of damage in a stream") struct ErrorMarksTests {
    @Test("Marks are taken out, wherever they are cut", arguments: 1...12)
    func cut(pieceBytes: Int) {
        let marked: [UInt8] = [1, 0xFF, 0xFF, 2, 0xFF, 0, 7, 3, 0xFF, 0, 0, 4, 0xFF, 0, 9, 0xFF, 0xFF, 0xFF, 0, 0, 5]
        var marks = ErrorMarks()
        var (plain, events): ([UInt8], [SerialEvent]) = ([], [])
        for start in stride(from: 0, to: marked.count, by: pieceBytes) {
            let piece = Array(marked[start..<min(marked.count, start + pieceBytes)])
            // SAFETY: bytes have no padding to be looked at.
            let found = unsafe marks.decode(piece.span.bytes)
            plain += found.bytes
            events += found.events
        }
        #expect(plain == [1, 0xFF, 2, 7, 3, 4, 9, 0xFF, 5])
        #expect(events == [.damaged(7, at: 3), .breakReceived, .damaged(9, at: 6), .breakReceived])
    }

    @Test("On a pseudo terminal, which marks a byte FF and never damages one, everything comes as it was sent") func onPty() throws {
        let pty = try Pty()
        try onLoop { loop in
            var settings = SerialSettings()
            settings.marksDamage = true
            let port = try await SerialPort.open(pty.path, settings, on: loop)
            let all = (0..<2_000).map { UInt8(truncatingIfNeeded: $0 % 3 == 0 ? 0xFF : $0) }
            pty.send(all)
            #expect(try await port.readExactly(all.count, timeout: .seconds(10)) == all)
            // The driver doubled each FF, and counts what it gave.
            #expect(await port.statistics.bytesReceived == UInt64(all.count + all.count { $0 == 0xFF }))
            await port.close()
        }
    }
}
