import LoopCore

// C2: memory lent to the kernel. C4: counts and bytes. C5: errors are values.
extension ContractSuite {
    static let bytes: [ContractCase] = [
        ContractCase("C2", "memory of a cancelled operation serves nobody else until its packet") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let first = try run.must("prepare") { () throws(OperationError) in try run.prepareAt(handle, capacity: 64) }
            try run.must("read") { () throws(OperationError) in try run.ops.read(first.id) }
            _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(first.id) }
            for _ in 0..<4 {
                let other = try run.must("prepare") { () throws(OperationError) in try run.prepareAt(handle, capacity: 64) }
                run.expect(other.address != first.address, "the address is still lent")
                // SAFETY: no native call was made.
                try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(other.id) }
            }
            _ = try run.finish(first.id)
        },
        ContractCase("C2", "a handle closed with a read in flight leaves the read its memory, and the loop can end") {
            run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            run.loop.turn(.poll)
            run.close(ends.near)
            run.loop.turn(.poll)
            if run.phase(id) == .submitted { _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) } }
            run.expect(try run.finish(id).bytes.isEmpty, "nothing was read")
            try run.retire(handle)
        },
        ContractCase("C4", "a write that is cut short says how much went out") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream(for: .write)
            let id = try run.write(handle, [UInt8](repeating: 7, count: 4 << 20))
            run.loop.turn(.poll)
            guard run.phase(id) == .submitted else { throw .notApplicable("a stream that fills before 4 MiB") }
            _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
            let (completion, _) = try run.finish(id)
            var arrived = 0
            while true {
                let bytes = run.fixture.drain(ends.far, max: 1 << 16)
                if bytes.isEmpty { break }
                arrived += bytes.count
            }
            run.expectEqual(completion.count, arrived, "the count against what arrived")
            run.expect(completion.severity == .aborted, "the severity")
        },
        ContractCase("C4", "bytes of an earlier operation are never shown") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            for _ in 0..<4 {
                run.fixture.feed(ends.far, [0x5E, 0xC8, 0xE7])
                _ = try run.finish(try run.read(handle, capacity: 64))
                let id = try run.read(handle, capacity: 64)
                _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
                run.expect(try run.finish(id).bytes.isEmpty, "an aborted read shows nothing")
                let poll = try run.must("prepare") { () throws(OperationError) in try run.prepare(handle, capacity: 64) }
                try run.must("poll") { () throws(OperationError) in try run.ops.poll(poll, .readable) }
                run.fixture.feed(ends.far, [1])
                run.expect(try run.finish(poll).bytes.isEmpty, "readiness is not bytes")
                run.expectEqual(try run.finish(try run.read(handle)).bytes, [1], "the byte that made it ready")
            }
        },
        ContractCase("C4", "a read takes what is there and leaves the rest") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            run.fixture.feed(ends.far, [1, 2, 3, 4, 5])
            run.expectEqual(try run.finish(try run.read(handle, capacity: 2)).bytes, [1, 2], "the first two")
            run.expectEqual(try run.finish(try run.read(handle, capacity: 9)).bytes, [3, 4, 5], "the rest")
        },
        ContractCase("C4", "ranges of one buffer are written in order, as one write") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream(for: .write)
            let id = try run.prepareWrite(handle, [1, 2, 3, 4, 5, 6])
            try run.must("write") { () throws(OperationError) in try run.ops.write(id, segments: [4..<6, 0..<1, 2..<2, 2..<4]) }
            run.expectEqual(try run.finish(id).completion.count, 5, "the count")
            run.expectEqual(run.fixture.drain(ends.far, max: 10), [5, 6, 1, 3, 4], "what arrived")
        },
        ContractCase("C5", "the end of a stream is a zero-byte success") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            run.loop.turn(.poll)
            run.fixture.feed(ends.far, [1])
            run.close(ends.far)
            let last = try run.finish(id).bytes
            run.expect(last == [1] || (last.isEmpty && !run.fixture.keepsBytesAtHangUp), "the last byte")
            let (completion, bytes) = try run.finish(try run.read(handle))
            run.expect(bytes.isEmpty && completion.count == 0, "nothing is left")
            guard completion.error == .none else { throw .notApplicable("a stream that ends without an error") }
        },
        ContractCase("C5", "an operation that nobody completes says what a cancelled one says") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let read = try run.read(handle)
            _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(read) }
            let cancelled = try run.finish(read).completion
            run.expect(cancelled.severity == .aborted && cancelled.error != .none && cancelled.status != .success, "a code of its own")
            let ended = Found<OperationID>()
            try run.must("perform") { () throws(OperationError) in
                try run.ops.perform(on: handle) { op in
                    op.remote { (_: RemoteCompletion) in }
                } completed: { id, _ in
                    ended.set(id)
                }
            }
            try run.turn(until: "the dropped completion") { ended.value != nil }
            guard let dropped = ended.value else { throw .failed("no id") }
            run.expectEqual(try run.finish(dropped).completion, cancelled, "what both say")
        },
        ContractCase("C5", "a write to a peer that is gone completes with an error value") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream(for: .write)
            run.close(ends.far)
            for _ in 0..<8 {
                let (completion, _) = try run.finish(try run.write(handle, [1]))
                if completion.error != .none {
                    return run.expect(completion.severity == .error && completion.status != .success, "an error has a status")
                }
            }
            throw .notApplicable("a stream that notices a peer that is gone")
        },
        ContractCase("C5", "a datagram that does not fit is cut, with a warning and its bytes") { run throws(CaseFailure) in
            let (handle, ends) = try run.datagrams()
            run.fixture.feed(ends.far, [1, 2, 3, 4])
            let id = try run.must("prepare") { () throws(OperationError) in try run.prepare(handle, capacity: 2) }
            try run.must("receive") { () throws(OperationError) in try run.ops.receive(id) }
            let (completion, bytes) = try run.finish(id)
            run.expect(completion.severity == .warning && completion.error != .none, "a warning with its code")
            run.expectEqual(bytes, [1, 2], "the bytes that fit")
        },
        ContractCase("C5", "datagrams keep their borders") { run throws(CaseFailure) in
            let (handle, ends) = try run.datagrams()
            for size in [3, 1, 2] {
                let id = try run.must("prepare") { () throws(OperationError) in try run.prepare(handle, capacity: 16) }
                try run.must("receive") { () throws(OperationError) in try run.ops.receive(id) }
                run.fixture.feed(ends.far, [UInt8](repeating: UInt8(size), count: size))
                run.expectEqual(try run.finish(id).completion.count, size, "one datagram, whole")
            }
        },
    ]
}

extension ContractRun {
    /// An operation's id and the number of its address.
    // SAFETY: the address is only compared.
    func prepareAt(_ handle: AssociatedHandle, capacity: Int) throws(OperationError) -> (id: OperationID, address: UInt) {
        let memory = unsafe try ops.prepare(handle, capacity: capacity)
        return unsafe (memory.id, UInt(bitPattern: memory.controlBlock))
    }
}
