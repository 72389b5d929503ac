import Testing

@testable import LoopEpoll

@Suite("The layout of a descriptor's record") struct DescriptorLayoutTests {
    @Test("What an event and a read look at is the first cache line, and what a write looks at besides is in the second")
    func lines() {
        let descriptor = Descriptor(allocating: DescriptorRecord(), alignment: 64)
        defer { descriptor.deallocate() }
        // SAFETY: the addresses are numbers.
        let places = unsafe [descriptor.address, descriptor.reads.address, descriptor.writes.address].map { UInt(bitPattern: $0) }
        #expect(places[0].isMultiple(of: 64))
        #expect(places[1] - places[0] + UInt(MemoryLayout<LaneRecord>.size) <= 64)
        #expect(places[2] - places[0] == 64)
        #expect(MemoryLayout<DescriptorRecord>.offset(of: \.nextOnAgenda).map { $0 + 8 <= 64 } == true)
        #expect(MemoryLayout<DescriptorRecord>.offset(of: \.waiters).map { $0 + MemoryLayout<ParkingLot>.size <= 128 } == true)
    }
}
