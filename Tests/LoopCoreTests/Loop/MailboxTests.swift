import Testing

@testable import LoopCore

@Suite("The mailbox") struct MailboxTests {
    private let waker: MockWaker
    private let mailbox: Mailbox

    init() {
        waker = MockWaker()
        mailbox = Mailbox(waker: waker)
    }

    @Test("What was sent is taken in the order in which it was sent") func order() {
        for number in 0..<100 { #expect(mailbox.post(mail(number)) == .sent) }
        #expect(numbers() == Array(0..<100))
        #expect(mailbox.isEmpty)
        #expect(numbers().isEmpty)
    }

    @Test("What is sent while the mail is taken is there the next time") func during() {
        _ = mailbox.post(mail(1))
        var first: [UInt64] = []
        mailbox.takeAll { mail in
            if case .cancel(let id) = mail { first.append(id.generation) }
            if first.count == 1 { _ = mailbox.post(.cancel(id(2))) }
        }
        #expect(first == [1])
        #expect(numbers() == [2])
    }

    @Test("A loop that is awake is not woken") func awake() {
        _ = mailbox.post(mail(1))
        #expect(waker.wakes == 0)
        #expect(!mailbox.disarm())
    }

    @Test("An idle loop is woken by the first who sends, and by no other") func once() {
        mailbox.arm()
        for number in 0..<10 { _ = mailbox.post(mail(number)) }
        #expect(waker.wakes == 1)
        #expect(mailbox.disarm())
        _ = mailbox.post(mail(10))
        #expect(waker.wakes == 1)
        mailbox.arm()
        _ = mailbox.post(mail(11))
        #expect(waker.wakes == 2)
    }

    @Test("An idle loop that nobody woke says so") func unwoken() {
        mailbox.arm()
        #expect(!mailbox.disarm())
        mailbox.arm()
        mailbox.arm()
        _ = mailbox.post(mail(1))
        mailbox.arm()
        _ = mailbox.post(mail(2))
        #expect(waker.wakes == 1)
    }

    @Test("A wake that the system refuses is tried again until it is accepted", arguments: [1, 2, 100])
    func refused(times: Int) {
        mailbox.arm()
        waker.refuseNext(times)
        #expect(mailbox.post(mail(1)) == .sent)
        #expect(waker.wakes == times + 1)
        #expect(waker.takeWake())
        #expect(mailbox.disarm())
    }

    @Test("A closed mailbox takes the mail, wakes nobody, and tells the sender to work it off") func closed() {
        mailbox.arm()
        mailbox.close()
        #expect(mailbox.post(mail(1)) == .closed)
        #expect(waker.wakes == 0)
        #expect(numbers() == [1])
    }

    @Test("Neither sleep nor wakefulness opens a closed mailbox again") func staysClosed() {
        mailbox.close()
        mailbox.arm()
        #expect(mailbox.post(mail(1)) == .closed)
        #expect(!mailbox.disarm())
        #expect(mailbox.post(mail(2)) == .closed)
    }

    @Test("Mail that nobody takes is let go of with the mailbox") func released() {
        let gone = Tally()
        do {
            let mailbox = Mailbox(waker: waker)
            for _ in 0..<3 {
                let witness = Witness(gone)
                _ = mailbox.post(.call { _ in witness.stay() })
            }
            #expect(gone.value == 0)
        }
        #expect(gone.value == 3)
    }

    private func mail(_ number: Int) -> Mail { .cancel(id(number)) }

    private func id(_ number: Int) -> OperationID { OperationID(generation: UInt64(number), index: .none, ledger: 0) }

    private func numbers() -> [Int] {
        var found: [Int] = []
        mailbox.takeAll { mail in
            if case .cancel(let id) = mail { found.append(Int(id.generation)) }
        }
        return found
    }
}
