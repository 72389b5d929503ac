import Testing

@testable import LoopCore

@Suite("The table of addresses") struct AddressTableTests {
    @Test("It agrees with a set through random inserts, removals and look-ups", arguments: [1, 2, 3, 4] as [UInt64])
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = AddressTable()
        var model: Set<UInt> = []
        for step in 0..<40_000 {
            // Few addresses, so that most of them come back; more in the second half, so that the table grows.
            let address = UInt.random(in: 1...(step < 20_000 ? 100 : 3_000), using: &random) << 6
            #expect(table.contains(address) == model.contains(address))
            if !model.contains(address) {
                model.insert(address)
                table.insert(address)
            } else if Bool.random(using: &random) {
                model.remove(address)
                table.remove(address)
            }
        }
        for address in (1...3_000).map({ UInt($0) << 6 }) { #expect(table.contains(address) == model.contains(address)) }
    }

    @Test("Addresses that collide are told apart, whichever of them leaves first", arguments: 0..<6)
    func collisions(leaver: Int) throws {
        let addresses = colliding(6)
        var table = AddressTable()
        for address in addresses { table.insert(address) }
        table.remove(addresses[leaver])
        for (place, address) in addresses.enumerated() {
            #expect(table.contains(address) == (place != leaver))
        }
        table.insert(addresses[leaver])
        #expect(table.contains(addresses[leaver]) == true)
    }

    @Test("The free places of the table are no address") func zero() {
        let table = AddressTable()
        #expect(table.contains(0) == false)
    }

    @Test("A run that goes round the end of the table survives removals") func roundTheEnd() {
        // The last places of 64, and more addresses than there are places behind them.
        let addresses = colliding(8, home: 62)
        var table = AddressTable()
        for address in addresses { table.insert(address) }
        for (place, address) in addresses.enumerated() {
            table.remove(address)
            #expect(table.contains(address) == false)
            for later in (place + 1)..<8 where later < 8 { #expect(table.contains(addresses[later]) == true) }
        }
    }

    /// Addresses that begin at one place of the first table, which has 64; the hash is the table's own, written out.
    private func colliding(_ count: Int, home: Int = 7) -> [UInt] {
        var found: [UInt] = []
        var address: UInt = 64
        while found.count < count {
            if Int(truncatingIfNeeded: ((UInt64(address) >> 6) &* 0x9E37_79B9_7F4A_7C15) >> 32) & 63 == home { found.append(address) }
            address += 64
        }
        return found
    }
}
