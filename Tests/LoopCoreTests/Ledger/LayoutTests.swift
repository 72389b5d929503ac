import Testing

@testable import LoopCore

@Suite("The layout of an operation's memory") struct LayoutTests {
    @Test("The control block is the record's first field, and as long as it says") func controlBlock() {
        #expect(MemoryLayout<Record>.offset(of: \.control) == 0)
        #expect(MemoryLayout<InlineArray<20, UInt64>>.size == ControlBlock.bytes)
        #expect(MemoryLayout<Record>.offset(of: \.completion) == Cell.completionOffset)
        #expect(MemoryLayout<Record>.offset(of: \.index).map { $0 >= ControlBlock.bytes } == true)
        #expect(ControlBlock.verbOffset >= ControlBlock.kernelBytes)
        #expect(ControlBlock.verbOffset + 8 <= ControlBlock.bytes)
    }

    @Test("What every operation looks at lies in one cache line, and the header has five") func hotLine() throws {
        let line = 3 * 64..<4 * 64
        let offsets = [
            MemoryLayout<Record>.offset(of: \.generation), MemoryLayout<Record>.offset(of: \.state),
            MemoryLayout<Record>.offset(of: \.stage), MemoryLayout<Record>.offset(of: \.handle), MemoryLayout<Record>.offset(of: \.kind),
            MemoryLayout<Record>.offset(of: \.next), MemoryLayout<Record>.offset(of: \.previous), MemoryLayout<Record>.offset(of: \.tag),
        ]
        for offset in offsets { #expect(line.contains(try #require(offset))) }
        // An odd number: cells in a row then use every set of a cache alike.
        #expect(Cell.headerBytes == 5 * 64)
    }

    @Test("The header ends on a cache line, and so does the room for an address") func header() {
        #expect(Cell.headerBytes % 64 == 0 && Cell.headerBytes >= MemoryLayout<Record>.size)
        #expect(Cell.addressBytes % 64 == 0 && Cell.addressBytes >= MemoryLayout<SocketAddress>.size)
        #expect(MemoryLayout<Record>.alignment <= 64)
    }

    @Test("Control block and buffer are aligned to a cache line in every size class, with an address too")
    func alignment() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            for sizeClass in 0..<SizeClass.count {
                let capacity = min(SizeClass(rawValue: UInt8(sizeClass)).bytes, Limits.capacityMax)
                for room in [AddressRoom.none, .one] { try expectAligned(bench, handle, capacity, room) }
            }
        }
    }

    // SAFETY: nothing is written, and no native call is made.
    private func expectAligned(_ bench: Bench, _ handle: AssociatedHandle, _ capacity: Int, _ room: AddressRoom) throws {
        let memory = unsafe try bench.ops.prepare(handle, capacity: capacity, address: room)
        let (block, buffer) = unsafe (UInt(bitPattern: memory.controlBlock), UInt(bitPattern: memory.buffer.baseAddress))
        #expect(block % 64 == 0 && buffer % 64 == 0)
        #expect(buffer - block == UInt(Cell.headerBytes + (room == .one ? Cell.addressBytes : 0)))
        #expect(unsafe memory.buffer.count == capacity)
        unsafe try bench.ops.abandon(memory.id)
    }

    @Test("The kernel's bytes and the port's tag are zero whenever an operation is prepared") func cleared() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            for _ in 0..<3 { try soil(bench, handle) }
        }
    }

    // SAFETY: the memory is the test's while the operation is prepared.
    private func soil(_ bench: Bench, _ handle: AssociatedHandle) throws {
        let memory = unsafe try bench.ops.prepare(handle)
        let block = unsafe UnsafeMutableRawBufferPointer(start: memory.controlBlock, count: ControlBlock.bytes)
        #expect(unsafe block[..<(ControlBlock.verbOffset + 8)].allSatisfy { $0 == 0 })
        unsafe block.copyBytes(from: repeatElement(0xAA, count: ControlBlock.bytes))
        unsafe try bench.ops.abandon(memory.id)
    }
}
