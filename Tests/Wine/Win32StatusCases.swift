internal import CLoopWin32
internal import LoopCore
internal import LoopSim
internal import LoopWin32

// What packets say. Some of these are run on faulty ports too, which must fail them.
extension Win32PacketCases {
    static var longMessage: Win32Case {
        Win32Case("a message longer than the buffer is ERROR_MORE_DATA, a warning with bytes and one packet") { bench throws(Unmet) in
            let (handle, ends) = try bench.pipe(.messages)
            let waiting = try bench.read(handle, capacity: 2)
            Win32.write(ends.far.rawValue, [1, 2, 3, 4, 5])
            try expectPart(bench, waiting, [1, 2], 234)
            // Found at once, it is still a packet.
            try expectPart(bench, try bench.read(handle, capacity: 2), [3, 4], 234)
            let rest = try bench.finish(try bench.read(handle))
            bench.check.expect(rest.bytes == [5] && rest.completion.severity == .success, "the rest")
            Win32.write(ends.far.rawValue, [6, 7, 8])
            let native = try bench.native(handle, capacity: 1) { lent in
                unsafe portloop_win32_file_read(handle.native.rawValue, lent.buffer.baseAddress, 1, lent.overlapped, nil)
            }
            try expectPart(bench, native, [6], 234)
            bench.check.expectEqual(bench.counts.packets, 4, "packets")
            bench.look()
            bench.check.expectEqual(bench.counts.stalePackets, 0, "packets nobody owed")
        }
    }

    static var longDatagram: Win32Case {
        Win32Case("a datagram longer than the buffer is WSAEMSGSIZE, a warning with bytes and one packet") { bench throws(Unmet) in
            let (handle, ends) = try bench.udp()
            let waiting = try bench.read(handle, capacity: 2)
            bench.look()
            Win32.send(ends.far.rawValue, [1, 2, 3])
            try expectPart(bench, waiting, [1, 2], 10040)
            Win32.send(ends.far.rawValue, [4, 5, 6])
            let found = try bench.prepare(handle, capacity: 1, address: .one)
            try bench.must("receive") { () throws(OperationError) in try bench.ops.receive(found) }
            try expectPart(bench, found, [4], 10040)
            bench.check.expectEqual(bench.counts.packets, 2, "packets")
            bench.look()
            bench.check.expectEqual(bench.counts.stalePackets, 0, "packets nobody owed")
        }
    }

    private static func expectPart(_ bench: Win32Bench, _ id: OperationID, _ bytes: [UInt8], _ code: Int32) throws(Unmet) {
        let result = try bench.finish(id)
        bench.check.expect(result.completion.severity == .warning, "a warning")
        bench.check.expectEqual(result.completion.error.rawValue, code, "the code")
        bench.check.expectEqual(result.completion.status.rawValue, 0x8000_0005, "the raw status")
        bench.check.expect(result.bytes == bytes, "the bytes that fit")
    }

    static var abortedWrite: Win32Case {
        Win32Case("a write that is cancelled half way is error 995 with the count of what went out") { bench throws(Unmet) in
            let (handle, ends) = try bench.tcp()
            let id = try bench.write(handle, [UInt8](repeating: 9, count: 4 << 20))
            bench.look()
            try bench.check.require(bench.phase(id) == .submitted, "4 MiB do not fit into two small buffers")
            try bench.cancel(id)
            let completion = try bench.finish(id).completion
            var arrived = 0
            while let bytes = Win32.receive(ends.far.rawValue, max: 1 << 16), !bytes.isEmpty { arrived += bytes.count }
            bench.check.expectEqual(completion.count, arrived, "the count against what arrived")
            bench.check.expect(completion.count > 0 && completion.count < 4 << 20, "a part")
            bench.check.expectEqual(completion.error.rawValue, 995, "the code")
            bench.check.expectEqual(completion.status.rawValue, 0xC000_0120, "the raw status")
            bench.check.expect(completion.severity == .aborted, "the severity")
        }
    }

    static func abortedPipeWrite(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.pipe()
        let id = try bench.write(handle, [UInt8](repeating: 9, count: 1 << 20))
        bench.look()
        try bench.check.require(bench.phase(id) == .submitted, "1 MiB does not fit into the pipe")
        let read = Win32.drainPipe(ends.far.rawValue, max: 100).count
        try bench.cancel(id)
        let completion = try bench.finish(id).completion
        let left = Win32.drainPipe(ends.far.rawValue, max: 1 << 20).count
        bench.check.expect(completion.severity == .aborted, "the severity")
        if completion.count == 0, read > 0 { throw .notApplicable("a pipe that counts what was read of a cancelled write: \(read) bytes") }
        bench.check.expectEqual(completion.count, read + left, "the count against what arrived")
    }

    static func endOfFile(_ bench: Win32Bench) throws(Unmet) {
        let file = Win32.temporaryFile()
        let handle = try bench.associate(file)
        bench.check.expectEqual(try bench.finish(try bench.write(handle, [1, 2, 3], at: 0)).completion.count, 3, "written")
        bench.check.expect(try bench.finish(try bench.read(handle, at: 1)).bytes == [2, 3], "what is there")
        let end = try bench.finish(try bench.read(handle, at: 3)).completion
        bench.check.expect(end == Completion(count: 0, status: RawStatus(rawValue: 0xC000_0011)), "the end, with its raw status")
        // A native call is its adapter's, who gets the kernel's own words, at the call or in the packet.
        do throws(Unmet) {
            let native = try bench.native(handle) { lent in
                unsafe lent.overlapped.pointee.offset = 3
                return unsafe portloop_win32_file_read(file, lent.buffer.baseAddress, lent.count, lent.overlapped, nil)
            }
            let completion = try bench.finish(native).completion
            bench.check.expect(completion.severity == .error, "the severity")
            bench.check.expectEqual(completion.error.rawValue, 38, "the packet's code")
        } catch {
            guard case .failed("a native call was refused: error 38") = error else { throw error }
        }
    }

    static func brokenPipe(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.pipe()
        let (waiting, native) = (try bench.read(handle), try nativeRead(bench, handle))
        bench.look()
        bench.close(ends.far)
        let end = Completion(count: 0, status: RawStatus(rawValue: 0xC000_014B))
        bench.check.expect(try bench.finish(waiting).completion == end, "the end of a read that waited")
        bench.check.expectEqual(try bench.finish(native).completion.error.rawValue, 109, "the packet's code")
        bench.check.expect(try bench.finish(try bench.read(handle)).completion == end, "the end of a read that came later")
        do throws(Unmet) {
            _ = try nativeRead(bench, handle)
            bench.check.fail("a native read of a broken pipe was not refused")
        } catch {
            guard case .failed("a native call was refused: error 109") = error else { throw error }
        }
        let written = try bench.finish(try bench.write(handle, [1])).completion
        bench.check.expect(written.severity == .error && written.status != .success, "a write fails")
    }

    private static func nativeRead(_ bench: Win32Bench, _ handle: AssociatedHandle) throws(Unmet) -> OperationID {
        try bench.native(handle) { lent in
            unsafe portloop_win32_file_read(handle.native.rawValue, lent.buffer.baseAddress, lent.count, lent.overlapped, nil)
        }
    }

    static func reset(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let id = try bench.read(handle)
        bench.look()
        bench.abort(ends.far)
        try expectReset(bench, id)
        let write = try bench.finish(try bench.write(handle, [1])).completion
        bench.check.expectEqual(write.error.rawValue, 10054, "the code of a write that follows")
        bench.check.expect(write.severity == .error && write.status != .success, "an error has a status")
    }

    static func nativeReset(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        let (id, _) = try bench.nativeReceive(handle)
        bench.look()
        bench.abort(ends.far)
        try expectReset(bench, id)
    }

    private static func expectReset(_ bench: Win32Bench, _ id: OperationID) throws(Unmet) {
        let completion = try bench.finish(id).completion
        bench.check.expectEqual(completion.error.rawValue, 10054, "the code")
        bench.check.expectEqual(completion.status.rawValue, 0xC000_020D, "the raw status")
        bench.check.expect(completion.severity == .error, "the severity")
    }

    static func closedInFlight(_ bench: Win32Bench) throws(Unmet) {
        try closeInFlight(bench, try bench.tcp())
        try closeInFlight(bench, try bench.udp())
        try closeInFlight(bench, try bench.pipe())
        bench.check.expectEqual(bench.counts.packets, 6, "packets")
        bench.check.expectEqual(bench.counts.stalePackets, 0, "packets nobody owed")
    }

    private static func closeInFlight(_ bench: Win32Bench, _ pair: (handle: AssociatedHandle, ends: StreamEnds)) throws(Unmet) {
        let ids = [try bench.read(pair.handle), try bench.read(pair.handle)]
        bench.look()
        bench.close(pair.ends.near)
        for id in ids {
            let result = try bench.finish(id, "the packet of a closed handle")
            bench.check.expect(result.bytes.isEmpty, "nothing was read")
        }
        try bench.retire(pair.handle)
    }
}
