import Glibc
import LoopCore
import Testing

@testable import SerialOps

@Suite("A port on a pseudo terminal") struct PtyTests {
    @Test("Bytes go both ways") func bothWays() throws {
        let pty = try Pty()
        try onLoop { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            pty.send(Array("hello\r\nworld\n".utf8))
            #expect(try await port.readLine(timeout: .seconds(5)) == Array("hello".utf8))
            #expect(try await port.readLine(timeout: .seconds(5)) == Array("world".utf8))
            try await port.write("back", timeout: .seconds(5))
            #expect(pty.received(count: 4) == Array("back".utf8))
            #expect(await port.close().isClean)
            #expect(await port.close().isClean)
        }
    }

    @Test("A read that times out leaves what came to the next") func timeout() throws {
        let pty = try Pty()
        try onLoop { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            pty.send([1, 2, 3])
            await #expect(throws: SerialError.timedOut(.read, moved: 3)) { try await port.readExactly(4, timeout: .milliseconds(50)) }
            pty.send([4])
            #expect(try await port.readExactly(4, timeout: .seconds(5)) == [1, 2, 3, 4])
            await port.close()
        }
    }

    @Test("Closing ends a pending read, and a hang-up does") func ends() throws {
        let pty = try Pty()
        try onLoop { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            let reader = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.read() } }
            try await loop.sleep(for: .milliseconds(1))
            await port.close()
            #expect(await reader.value == .failure(.closed))

            let other = try await SerialPort.open(pty.path, on: loop)
            let waiting = loop.spawn { _ async in await result { () async throws(SerialError) in try await other.read() } }
            try await loop.sleep(for: .milliseconds(1))
            pty.close()
            #expect(await waiting.value == .failure(.disconnected))
            #expect(await other.close().isClean)
        }
    }

    @Test("What was written before a close reaches the other end") func closeKeepsWhatWasWritten() throws {
        let pty = try Pty()
        let kept = pty.keptOpen()
        defer { kept.end() }
        try onLoop { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            try await port.write([UInt8](repeating: 7, count: 3_000), timeout: .seconds(5))
            await port.close()
        }
        #expect(pty.received(count: 3_000).count == 3_000)
    }

    @Test("Every call works from another thread than the loop's") func fromElsewhere() async throws {
        let pty = try Pty()
        let kept = pty.keptOpen()
        defer { kept.end() }
        try await onLoopBesides { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            let other = Task.detached {
                #expect(!loop.isOnLoopThread)
                try await port.write("out", timeout: .seconds(5))
                pty.send(Array("abcdefgh\nrest".utf8))
                let first = try await port.read(timeout: .seconds(5)) { bytes, taken in
                    taken = 1
                    return bytes.byteCount
                }
                #expect(first > 0)
                #expect(try await port.readExactly(2, timeout: .seconds(5)) == Array("bc".utf8))
                #expect(try await port.readUntil(Array("f".utf8), timeout: .seconds(5)) == Array("def".utf8))
                #expect(try await port.readLine(timeout: .seconds(5)) == Array("gh".utf8))
                #expect(try await port.readExactly(3, timeout: .seconds(5)) == Array("res".utf8))
                #expect(try await port.read(timeout: .seconds(5)) == Array("t".utf8))
                await #expect(throws: SerialError.timedOut(.read, moved: 0)) {
                    try await port.read(timeout: .milliseconds(1)) { _, _ in }
                }
            }
            try await other.value
            #expect(pty.received(count: 3) == Array("out".utf8))
            // Whose turn it was to read has given it back.
            pty.send([1])
            #expect(try await port.read(timeout: .seconds(5)) == [1])
            await port.close()
        }
    }

    @Test("A closed port is anybody's again, although a child has a copy of its descriptor") func closedWithCopy() throws {
        let pty = try Pty()
        try onLoop { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            let copy = dup(Int32(port.opened.here.on(loop).device.handle.rawValue))
            defer { _ = Glibc.close(copy) }
            await port.close()
            let again = try await SerialPort.open(pty.path, on: loop)
            await again.close()
        }
    }

    @Test("What cannot be opened says why") func refused() throws {
        let pty = try Pty()
        try onLoop { loop in
            await #expect(throws: SerialError.notFound("/dev/ttyNone")) { try await SerialPort.open("/dev/ttyNone", on: loop) }
            await #expect(throws: SerialError.notASerialPort("/dev/null")) { try await SerialPort.open("/dev/null", on: loop) }
            await #expect(throws: SerialError.notASerialPort("/etc/passwd")) { try await SerialPort.open("/etc/passwd", on: loop) }
            await #expect(throws: SerialError.notASerialPort("/tmp")) { try await SerialPort.open("/tmp", on: loop) }
            let fifo = "/tmp/portloop-no-port-\(getpid())"
            unsafe try #require(mkfifo(fifo, 0o600) == 0)
            defer { unsafe unlink(fifo) }
            await #expect(throws: SerialError.notASerialPort(SerialText(fifo))) { try await SerialPort.open(SerialText(fifo), on: loop) }
            let port = try await SerialPort.open(pty.path, on: loop)
            let error = await #expect(throws: SerialError.self) { try await SerialPort.open(pty.path, on: loop) }
            guard case .busy(let holder) = error else { return #expect(Bool(false), "\(String(describing: error))") }
            #expect(holder.process != nil)
            await port.close()
            let again = try await SerialPort.open(pty.path, on: loop)
            await again.close()
        }
    }
}
