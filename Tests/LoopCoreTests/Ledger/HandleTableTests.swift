import Testing

@testable import LoopCore

@Suite("The table of handles") struct HandleTableTests {
    @Test("Slots are reused and generations are not") func generations() {
        var table = HandleTable()
        var seen: Set<UInt32> = []
        for round in 0..<100 {
            let key = table.open(NativeHandle(rawValue: round))
            #expect(key.slot == 0)
            #expect(seen.insert(key.generation).inserted)
            table.vacate(key.slot)
        }
        #expect(table.slotCount == 1)
        #expect(table.openCount == 0)
    }

    @Test("A key is current until its slot is vacated, and never again") func current() {
        var table = HandleTable()
        let old = table.open(NativeHandle(rawValue: 5))
        #expect(table.isCurrent(old) == true)
        table.vacate(old.slot)
        #expect(table.isCurrent(old) == false)
        let new = table.open(NativeHandle(rawValue: 5))
        #expect(new.slot == old.slot && new.generation != old.generation)
        #expect([old, new].map { table.isCurrent($0) } == [false, true])
        #expect(table.associated(old) == nil)
        #expect(table.associated(new)?.entry.native == NativeHandle(rawValue: 5))
    }

    @Test("A key for a slot that was never opened leads nowhere") func unknown() {
        let table = HandleTable()
        #expect(table.isCurrent(HandleKey(slot: 3, generation: 1)) == false)
        #expect(table.associated(HandleKey(slot: 3, generation: 1)) == nil)
    }

    @Test("Only the phase associated takes operations", arguments: [HandlePhase.retiring, .retired, .vacant])
    func phases(phase: HandlePhase) {
        var table = HandleTable()
        let key = table.open(NativeHandle(rawValue: 1))
        #expect(table[key.slot].entry.phase == .associated)
        table[key.slot].entry.phase = phase
        #expect(table.associated(key) == nil)
        #expect(table.isCurrent(key) == true)
    }

    @Test("Entries survive the growth of the table, where they are") func growth() {
        var table = HandleTable()
        let first = table[table.open(NativeHandle(rawValue: 0)).slot]
        let keys = [first.entry.key] + (1..<5_000).map { table.open(NativeHandle(rawValue: $0)) }
        #expect(table.openCount == 5_000)
        #expect(table[keys[0].slot] == first)
        for (number, key) in keys.enumerated() { #expect(table.associated(key)?.entry.native.rawValue == number) }
    }

    @Test("Vacant slots are all used before a new one is made") func vacancies() {
        var table = HandleTable()
        let keys = (0..<50).map { table.open(NativeHandle(rawValue: $0)) }
        for key in keys { table.vacate(key.slot) }
        let again = (0..<50).map { table.open(NativeHandle(rawValue: $0)) }
        #expect(Set(again.map(\.slot)) == Set(keys.map(\.slot)))
        #expect(Set(again.map(\.generation)).isDisjoint(with: keys.map(\.generation)))
        #expect(table.slotCount == 50)
    }

    @Test("A vacated entry keeps nothing of its association") func vacated() {
        var table = HandleTable()
        let gone = Tally()
        let key = table.open(NativeHandle(rawValue: 1))
        do {
            let witness = Witness(gone)
            table[key.slot].entry.retireWait = RetireWait(waiter: { _ in witness.stay() })
        }
        #expect(gone.value == 0)
        table.vacate(key.slot)
        #expect(gone.value == 1)
        #expect(table[key.slot].entry.key == HandleKey(slot: key.slot, generation: 0) && table[key.slot].entry.first == nil)
    }

    @Test("A key is the same after a trip through 64 bits of the kernel's") func word() {
        let key = HandleKey(slot: 0xFFFF_FFFE, generation: 0x8000_0001)
        #expect(HandleKey(word: key.word) == key)
    }
}
