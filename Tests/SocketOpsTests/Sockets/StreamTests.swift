import Glibc
import LoopCore
import StreamOps
import Testing

@testable import SocketOps

@Suite("A TCP connection") struct StreamTests {
    @Test("What is written is read, in order and to the end") func bothWays() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            try await ends.near.write("hello\nthere\r\nrest")
            #expect(try await ends.far.readLine(timeout: .seconds(60)) == Array("hello".utf8))
            #expect(try await ends.far.readLine(timeout: .seconds(60)) == Array("there".utf8))
            try await ends.near.finishWriting()
            #expect(try await ends.far.read(timeout: .seconds(60)) == Array("rest".utf8))
            #expect(try await ends.far.read(timeout: .seconds(60)) == [])
            #expect(try await ends.far.read(timeout: .seconds(60)) == [])
            // The other half goes on.
            try await ends.far.write([1, 2, 3])
            #expect(try await ends.near.readExactly(3, timeout: .seconds(60)) == [1, 2, 3])
            await #expect(throws: SocketError.closed) { try await ends.near.write([1]) }
            await ends.far.close()
            #expect(try await ends.near.read(timeout: .seconds(60)) == [])
            await ends.near.close()
        }
    }

    @Test("A read that waits is served when bytes come, by each way to read") func waitingReads() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            let line = loop.spawn { _ in try await ends.far.readLine(timeout: .seconds(60)) }
            try await loop.sleep(for: .milliseconds(1))
            try await ends.near.write("one\n")
            #expect(try await line.value == Array("one".utf8))
            let lent = loop.spawn { _ in
                try await ends.far.read(timeout: .seconds(60)) { (bytes: RawSpan, taken: inout Int) in
                    taken = 1
                    return bytes.byteCount
                }
            }
            try await loop.sleep(for: .milliseconds(1))
            try await ends.near.write("two")
            #expect(try await lent.value == 3)
            var buffer = IOBuffer(capacity: 16)
            #expect(try await ends.far.read(into: &buffer) == 2)
            #expect(buffer.copyBytes() == Array("wo".utf8))
            try await ends.near.write(pieces: [[1], [], [2, 3], Array(4...9)])
            #expect(try await ends.far.readExactly(9, timeout: .seconds(60)) == Array(1...9))
            await ends.near.close()
            await ends.far.close()
        }
    }

    @Test("A time that is up and a cancelled task lose no byte") func nothingLost() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            try await ends.near.write("abc")
            let early = await result { () async throws(SocketError) in try await ends.far.readExactly(5, timeout: .milliseconds(20)) }
            #expect(early.failure == .timedOut(.read, moved: 3))
            let reader = loop.spawn { _ async in
                await result { () async throws(SocketError) in try await ends.far.readUntil([0x0A]) }
            }
            try await loop.sleep(for: .milliseconds(1))
            reader.cancel()
            #expect(await reader.value.failure == .cancelled(.read, moved: 3))
            try await ends.near.write("de")
            #expect(try await ends.far.readExactly(5, timeout: .seconds(60)) == Array("abcde".utf8))
            await ends.near.close()
            await ends.far.close()
        }
    }

    @Test("The end of the other side in the middle of a frame is said with what is there") func endedEarly() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            try await ends.near.write("abc")
            await ends.near.close()
            let line = await result { () async throws(SocketError) in try await ends.far.readLine(timeout: .seconds(60)) }
            #expect(line.failure == .ended(received: 3))
            let limited = await result { () async throws(SocketError) in try await ends.far.readUntil([9], limit: 2) }
            #expect(limited.failure == .frameTooLong(limit: 2))
            #expect(try await ends.far.read() == Array("abc".utf8))
            await ends.far.close()
        }
    }

    @Test("Many bytes both ways at once, in pieces of all sizes", arguments: [1, 7, 4_096, 65_536, 1_000_000])
    func bulk(piece: Int) throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            let total = min(4_000_000, piece * 20_000)
            let pattern = (0..<piece).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            func send(_ stream: TCPStream) -> Fiber<Int, any Error> {
                loop.spawn { _ in
                    var left = total
                    while left > 0 {
                        try await stream.write(Array(pattern.prefix(left)))
                        left -= min(left, piece)
                    }
                    try await stream.finishWriting()
                    return total
                }
            }
            func check(_ stream: TCPStream) -> Fiber<Int, any Error> {
                loop.spawn { _ in
                    var (place, isRight) = (0, true)
                    while true {
                        let count = try await stream.read(timeout: .seconds(20)) { (bytes: RawSpan, taken: inout Int) in
                            taken = bytes.byteCount
                            for index in 0..<bytes.byteCount where bytes.byte(at: index) != pattern[(place + index) % piece] {
                                isRight = false
                            }
                            return taken
                        }
                        if count == 0 { break }
                        place += count
                    }
                    return isRight ? place : -1
                }
            }
            let fibers = [send(ends.near), send(ends.far), check(ends.near), check(ends.far)]
            for fiber in fibers { #expect(try await fiber.value == total) }
            await ends.near.close()
            await ends.far.close()
            #expect(loop.metrics.operations.submitted == 0)
        }
    }

    @Test("A slow reader holds the writer back, and a write that is given up says how much has left") func backpressure() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            let bytes = [UInt8](repeating: 7, count: 32 << 20)
            let given = await result { () async throws(SocketError) in try await ends.near.write(bytes, timeout: .milliseconds(50)) }
            guard case .timedOut(.write, let moved) = given.failure else {
                Issue.record("a write of more than there is room for came to \(given)")
                return
            }
            #expect(moved > 0 && moved < bytes.count)
            // All that had left arrives, and nothing else.
            await ends.near.close()
            var received = 0
            while true {
                let piece = try await ends.far.read(timeout: .seconds(60))
                if piece.isEmpty { break }
                received += piece.count
            }
            #expect(received == moved)
            await ends.far.close()
        }
    }

    @Test("A close ends those who read and write, and a second close waits for the same end") func closing() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            let reader = loop.spawn { _ async in await result { () async throws(SocketError) in try await ends.far.read() } }
            let second = loop.spawn { _ async in await result { () async throws(SocketError) in try await ends.far.read() } }
            let writer = loop.spawn { _ async in
                await result { () async throws(SocketError) in try await ends.far.write([UInt8](repeating: 1, count: 32 << 20)) }
            }
            try await loop.sleep(for: .milliseconds(1))
            await ends.far.close()
            await ends.far.close()
            #expect(await reader.value.failure == .closed)
            #expect(await second.value.failure == .closed)
            #expect(await writer.value.failure == .closed)
            await #expect(throws: SocketError.closed) { try await ends.far.localAddress }
            await ends.near.close()
            #expect(loop.metrics.operations.submitted == 0)
        }
    }

    @Test("An abort is a reset to the other side") func abort() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            let reader = loop.spawn { _ async in await result { () async throws(SocketError) in try await ends.far.read() } }
            try await loop.sleep(for: .milliseconds(1))
            await ends.near.abort()
            #expect(await reader.value.failure == .reset)
            let writes = await result { () async throws(SocketError) in try await ends.far.write([1]) }
            #expect(writes.failure == .reset)
            await ends.far.close()
        }
    }

    @Test("Urgent bytes are passed by, and wake nobody for long") func urgent() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            try await ends.near.write("ab")
            let fd = Int32(ends.near.socket.here.on(loop).native.handle.rawValue)
            // SAFETY: one byte is read from the array.
            #expect(unsafe send(fd, [UInt8(ascii: "!")], 1, Int32(MSG_OOB)) == 1)
            try await ends.near.write("cd")
            #expect(try await ends.far.readExactly(4, timeout: .seconds(60)) == Array("abcd".utf8))
            try await loop.expectRest { () async throws(SocketError) in try await ends.far.read(timeout: .milliseconds(50)) }
            await ends.near.close()
            #expect(try await ends.far.read(timeout: .seconds(60)) == [])
            await ends.far.close()
        }
    }

    @Test("A graceful close loses nothing that the other side has not read, and is bounded") func graceful() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            // What nobody read would turn a plain close into a reset.
            try await ends.far.write("unread")
            try await ends.near.write("last words")
            let closing = loop.spawn { _ async in await ends.near.close(within: .seconds(10)) }
            #expect(try await ends.far.readExactly(10, timeout: .seconds(60)) == Array("last words".utf8))
            #expect(try await ends.far.read(timeout: .seconds(60)) == [])
            await ends.far.close()
            await closing.value
            let other = try await loop.connection()
            let start = loop.now
            await other.near.close(within: .milliseconds(20))
            #expect(loop.now.nanoseconds(since: start) >= 20_000_000)
            await other.far.close()
        }
    }

    @Test("Every call works from another thread than the loop's") func elsewhere() async throws {
        try await onLoopBesides { loop in
            let ends = try await loop.connection()
            let (near, far) = (ends.near, ends.far)
            let task = Task.detached {
                try await near.write("from elsewhere\nand more")
                let line = try await far.readLine(timeout: .seconds(60))
                let count = try await far.read(timeout: .seconds(60)) { (bytes: RawSpan, taken: inout Int) in
                    taken = 4
                    return bytes.byteCount
                }
                var buffer = IOBuffer(capacity: 64)
                let moved = try await far.read(into: &buffer, timeout: .seconds(60))
                try await near.finishWriting()
                let end = try await far.read(timeout: .seconds(60))
                try await far.write(pieces: [[1], [2]])
                try await far.write(buffer)
                let back = try await near.readExactly(6, timeout: .seconds(60))
                let address = try await near.remoteAddress.text
                let early = await result { () async throws(SocketError) in try await near.readExactly(3, timeout: .milliseconds(1)) }
                await near.close(within: .milliseconds(1))
                await far.close()
                return (String(decoding: line, as: UTF8.self), count, moved, end, back, address, early.failure)
            }
            let found = try await task.value
            #expect(found.0 == "from elsewhere" && found.1 == 8 && found.2 == 4 && found.3 == [])
            #expect(found.4 == [1, 2] + Array("more".utf8))
            #expect(found.5.hasPrefix("127.0.0.1:"))
            #expect(found.6 == .timedOut(.read, moved: 0))
        }
    }

    @Test("Whoever drops a connection closes it, on whichever thread") func dropped() async throws {
        try await onLoopBesides { loop in
            do {
                let far: TCPStream
                do {
                    let ends = try await loop.connection()
                    far = ends.far
                }
                #expect(try await far.read(timeout: .seconds(60)) == [])
            }
            var ends: Connection? = try await loop.connection()
            let far = try #require(ends?.far)
            let task = Task.detached { [near = ends?.near] in near?.loop.isOnLoopThread }
            ends = nil
            #expect(await task.value == false)
            #expect(try await far.read(timeout: .seconds(60)) == [])
        }
    }
}
