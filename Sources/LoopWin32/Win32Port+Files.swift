internal import LoopCore

// What is no socket: files, pipes, serial ports and other devices.

extension Win32Port {
    /// An overlapped handle has no position that a read could begin at, and pretending to have one would be the port's invention: a file
    /// needs an offset. What cannot seek ignores it.
    func readFile(_ request: PortRequest, _ handle: BoundHandle, at offset: FileOffset?, length: Int) -> Submission {
        let isFile = handle.record.object.kind == .file
        guard !isFile || offset != nil else { return .refused(.invalidParameter) }
        let operation = Operation(beginning: request, .read, on: handle, length: length, offset: isFile ? offset : nil)
        let code = operation.callFileRead()
        if isOwed(code, operation) { return owe(operation) }
        // Found at once, the end is the call's own error, and no packet comes; found later, it is a packet. To a reader both are the same.
        switch code {
        case .endOfFile: return answer(operation, .success(0, status: .endOfFile), request.inline)
        case .brokenPipe: return answer(operation, .success(0, status: .pipeBroken), request.inline)
        default: return answer(operation, .failure(code), request.inline)
        }
    }

    // SAFETY: the bytes lie in the buffer.
    func writeFile(_ request: PortRequest, _ handle: BoundHandle, at offset: FileOffset?, count: Int) -> Submission {
        let isFile = handle.record.object.kind == .file
        guard !isFile || offset != nil else { return .refused(.invalidParameter) }
        let operation = Operation(beginning: request, .write, on: handle, length: count, offset: isFile ? offset : nil)
        return submit(operation, request.inline) { unsafe $0.callFileWrite($0.record.buffer, $0.record.length) }
    }

    /// Writes ranges of the buffer as one write, so that they are one message on a pipe that has messages.
    // SAFETY: the bytes lie in the buffer or in the operation's copy, and both stay until the packet.
    func gatherIntoFile(_ request: PortRequest, _ handle: BoundHandle, at offset: FileOffset?, _ ranges: [Range<Int>]) -> Submission {
        let isFile = handle.record.object.kind == .file
        guard !isFile || offset != nil else { return .refused(.invalidParameter) }
        let operation = Operation(beginning: request, .write, on: handle, offset: isFile ? offset : nil)
        let count = ranges.reduce(0) { $0 + $1.count }
        guard let counted = UInt32(exactly: count) else { return answer(operation, .failure(.invalidParameter), request.inline) }
        if let start = onePiece(ranges) {
            return submit(operation, request.inline) { unsafe $0.callFileWrite($0.bytes(from: start), counted) }
        }
        let gathered = operation.gather(ranges, count: count)
        operation.record.work = .copy(gathered)
        return submit(operation, request.inline) { unsafe $0.callFileWrite(gathered.start, counted) }
    }

    /// Where the bytes begin if each range goes on where the one before it ended.
    private func onePiece(_ ranges: [Range<Int>]) -> Int? {
        guard let first = ranges.first else { return 0 }
        var end = first.lowerBound
        for range in ranges {
            if range.lowerBound != end { return nil }
            end = range.upperBound
        }
        return first.lowerBound
    }
}
