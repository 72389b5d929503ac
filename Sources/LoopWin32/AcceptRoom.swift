internal import CLoopWin32

/// What an accept needs that does not fit into a control block: the socket that is going to be the connection, and room for both addresses,
/// which the kernel writes before the packet. Rooms are used again, so that accepting allocates nothing in the steady state.
struct AcceptRoom {
    /// -1 while the room is nobody's.
    var socket = -1
    var next: Reference<AcceptRoom>?
    var previous: Reference<AcceptRoom>?
    /// Two places of ``portloop_win32_accept_address_bytes``.
    var addresses = InlineArray<36, UInt64>(repeating: 0)

    static var addressesFit: Bool { MemoryLayout<InlineArray<36, UInt64>>.size >= 2 * Int(portloop_win32_accept_address_bytes) }
}

/// The rooms of a port.
struct AcceptRooms {
    private var free: Reference<AcceptRoom>?
    private var firstTaken: Reference<AcceptRoom>?

    mutating func take() -> Reference<AcceptRoom> {
        let room = free ?? Reference(allocating: AcceptRoom())
        free = room.record.next
        room.record.previous = nil
        room.record.next = firstTaken
        firstTaken?.record.previous = room
        firstTaken = room
        return room
    }

    /// Takes a room back, and closes its socket unless somebody has got it.
    mutating func giveBack(_ room: Reference<AcceptRoom>) {
        let (previous, next) = (room.record.previous, room.record.next)
        if let previous { previous.record.next = next } else { firstTaken = next }
        if let next { next.record.previous = previous }
        room.record.closeSocket()
        room.record.next = free
        free = room
    }

    /// Closes every socket, and frees the rooms that are nobody's. One that an operation still has is the kernel's to write to.
    mutating func deallocate() {
        while let room = firstTaken {
            firstTaken = room.record.next
            room.record.closeSocket()
        }
        while let room = free {
            free = room.record.next
            room.deallocate()
        }
    }
}

extension AcceptRoom {
    mutating func closeSocket() {
        if socket >= 0 { Native.close(socket: socket) }
        socket = -1
    }
}
