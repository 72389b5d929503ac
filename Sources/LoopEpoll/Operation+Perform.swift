internal import Glibc
internal import LoopCore

/// The most bytes that a long write sends before others have their turn: some 50 µs of copying, and as much as a socket's buffer usually
/// takes at once.
let writeChunkMax = 256 << 10

/// Connections that died while they waited, skipped in one go by an accept.
private let deadConnectionsMax = 64

/// What one try of an operation came to.
enum Try {
    case finished(Completion)
    /// The kernel said EAGAIN, and so owes an edge.
    case blocked
    /// There is more to do and nothing in the way; others go first.
    case gaveWay
    /// What it needs is used up, and no edge will tell when it is there again.
    case shortage

    @inline(__always)
    fileprivate init(_ answer: Answer, isCut: Bool = false) {
        switch answer {
        case .count(let count): self = .finished(isCut ? .cut(count) : .success(count))
        case .failed(.tryAgain): self = .blocked
        case .failed(let code): self = .finished(.failure(code))
        }
    }
}

extension Operation {
    /// Makes the operation's system call, and says what it came to. Attempts and polls are none of its business.
    @inline(__always)
    func perform(on descriptor: Descriptor) -> Try {
        switch record.verb {
        case .read: read(descriptor)
        case .receive: receive(descriptor, withAddress: true)
        case .accept: accept()
        case .write: write(descriptor)
        case .gather: gather(descriptor)
        case .send: send(descriptor, to: addressLength)
        case .connect: connect()
        case .connecting: finishConnect()
        case .none, .poll, .attempt: trap("The verb \(record.verb) is not tried by a system call of the port's.")
        }
    }

    // MARK: reading

    @inline(__always)
    func read(_ descriptor: Descriptor) -> Try {
        guard record.length > 0 else { return awaitInput(descriptor) }
        if descriptor.record.kind.hasMessages { return receive(descriptor, withAddress: false) }
        let answer = descriptor.record.kind.isSocket ? callReceiveBytes() : callRead()
        noteShortRead(answer, descriptor)
        return Try(answer)
    }

    /// A read of nothing waits until there is something.
    @inline(never)
    private func awaitInput(_ descriptor: Descriptor) -> Try {
        descriptor.record.drainsBetweenWaits ? takeEvent(descriptor) : waitUntilReadable()
    }

    private func receive(_ descriptor: Descriptor, withAddress: Bool) -> Try {
        let (answer, isCut) = callReceive(withAddress: withAddress)
        noteShortRead(answer, descriptor)
        return Try(answer, isCut: isCut)
    }

    /// Saves the next read a system call that would only say EAGAIN; see ``DescriptorRecord/shortReadEmpties``.
    @inline(__always)
    private func noteShortRead(_ answer: Answer, _ descriptor: Descriptor) {
        guard case .count(let count) = answer, count < record.length, descriptor.record.shortReadEmpties else { return }
        descriptor.reads.record.maybeReady = false
    }

    /// The caller vouches that he reads until there is no more: what comes after this is an event of its own. All but the end of the
    /// stream, which may have come as one event with bytes that are read first.
    private func takeEvent(_ descriptor: Descriptor) -> Try {
        guard descriptor.record.ending.isEmpty else { return waitUntilReadable() }
        descriptor.reads.record.maybeReady = false
        return .finished(.success(0))
    }

    /// Also ready where a read would tell of the end or of an error.
    private func waitUntilReadable() -> Try {
        switch Native.readiness(record.fd, .readable) {
        case .count(0): .blocked
        case .count: .finished(.success(0))
        case .failed(let code): .finished(.failure(code))
        }
    }

    /// A connection that died while it waited is not this accept's failure. Nor is a shortage, but that does not pass by itself.
    private func accept() -> Try {
        for _ in 0..<deadConnectionsMax {
            let answer = callAccept()
            switch answer {
            case .count(let fd):
                var completion = Completion.success(0)
                completion.acquired = NativeHandle(rawValue: fd)
                return .finished(completion)
            case .failed(let code) where code.isOfPendingConnection: continue
            case .failed(let code) where code.isShortage: return .shortage
            case .failed: return Try(answer)
            }
        }
        return .gaveWay
    }

    // MARK: writing

    @inline(__always)
    private func write(_ descriptor: Descriptor) -> Try {
        guard !descriptor.record.kind.hasMessages else { return send(descriptor, to: 0) }
        let isSocket = descriptor.record.kind.isSocket
        return writeOn { max in isSocket ? callSend(max: max, to: 0) : callWrite(max: max) }
    }

    private func gather(_ descriptor: Descriptor) -> Try {
        guard !descriptor.record.kind.hasMessages else { return message(callGatherSend(max: .max), descriptor) }
        let isSocket = descriptor.record.kind.isSocket
        return writeOn { max in isSocket ? callGatherSend(max: max) : callGather(max: max) }
    }

    /// As ``perform(on:)``, of a write to a stream whose first call has been made.
    func write(_ descriptor: Descriptor, after first: Answer) -> Try { ended(by: first) ?? write(descriptor) }

    /// Writes until everything is out, the kernel refuses, or it is somebody else's turn. A short count alone asks for no edge; only the
    /// call that fails with EAGAIN does.
    @inline(__always)
    private func writeOn(_ call: (Int) -> Answer) -> Try {
        let turnEnd = record.progress + writeChunkMax
        while record.progress < record.length {
            guard record.progress < turnEnd else { return .gaveWay }
            if let end = ended(by: call(turnEnd - record.progress)) { return end }
        }
        return .finished(.success(record.progress))
    }

    /// Counts what a call has written; nil unless it was the last that makes sense.
    @inline(__always)
    private func ended(by answer: Answer) -> Try? {
        switch answer {
        // No driver should say zero to a write of something; to ask it again would be to ask for ever.
        case .count(0): return .finished(.failure(.inputOutput, count: record.progress))
        case .count(let count): record.progress += count
        case .failed(.tryAgain): return .blocked
        case .failed(let code): return .finished(.failure(code, count: record.progress))
        }
        return nil
    }

    private func send(_ descriptor: Descriptor, to length: UInt32) -> Try { message(callSend(max: .max, to: length), descriptor) }

    /// A message goes out whole or not at all. In the Unix domain EAGAIN can mean that the receiver's queue is full; the sender, whose own
    /// buffer has room, gets no edge when that changes, unless the two are connected.
    private func message(_ answer: Answer, _ descriptor: Descriptor) -> Try {
        let result = Try(answer)
        guard case .blocked = result, descriptor.record.kind == .unixMessageSocket,
            case .count(let bits) = Native.readiness(record.fd, .writable), bits != 0
        else { return result }
        return .shortage
    }

    // MARK: connecting

    /// A Unix socket whose listener's queue is full says EAGAIN, and no edge will tell when there is room.
    private func connect() -> Try {
        let answer = callConnect()
        switch answer {
        case .failed(.inProgress):
            record.verb = .connecting
            return .blocked
        case .failed(.tryAgain): return .shortage
        case .count, .failed: return Try(answer)
        }
    }

    /// An edge is not enough: a fresh TCP socket reports OUT and HUP before anybody has connected it. There is a peer when the socket has
    /// no error and knows the peer's name.
    private func finishConnect() -> Try {
        switch Native.socketOption(record.fd, SO_ERROR) {
        case .failed(let code): return .finished(.failure(code))
        case .count(let code) where code != 0: return .finished(.failure(SystemCode(rawValue: Int32(code))))
        case .count: break
        }
        switch Native.hasPeer(record.fd) {
        case .count: return .finished(.success(0))
        case .failed(.notConnected): return .blocked
        case .failed(let code): return .finished(.failure(code))
        }
    }
}

extension Verb {
    /// Whether a file's worker can do it.
    var isTransfer: Bool { self == .read || self == .write || self == .gather }
}
