import LoopCore
import LoopSim

extension Week {
    func send(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        for _ in 0...me.random.below(2) {
            let thing = channels[me.random.below(channels.count)]
            let timeout = someTimeout(me)
            let element = makeElement(me)
            let sent: Void? = try await wait(loop, me, for: .channel, thing.senders, timeout: timeout) {
                try await thing.channel.send(element, timeout: timeout)
            }
            if sent != nil { accepted(element, thing, me) }
        }
    }

    /// Sends what there is room for, and takes what is there, without waiting.
    func offer(_ me: WeekFiber) {
        let thing = channels[me.random.below(channels.count)]
        if me.random.below(2) == 0 {
            let element = makeElement(me)
            let result = thing.channel.trySend(element)
            if result == .sent { accepted(element, thing, me) }
            require(result != .closed || thing.isFinished || thing.isClosed, "a channel refuses what is sent, and nobody closed it")
        } else if let element = thing.channel.assumeIsolated({ $0.tryReceive() }) {
            received(element, thing, me)
        }
    }

    func receive(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        for _ in 0...me.random.below(2) {
            let thing = channels[me.random.below(channels.count)]
            let timeout = someTimeout(me)
            let element = try await wait(loop, me, for: .channel, thing.receivers, timeout: timeout) {
                try await thing.channel.receive(timeout: timeout)
            }
            // Nil twice over: the wait came to nothing, or the channel has been finished.
            guard let found = element else { continue }
            guard let element = found else {
                require(thing.isFinished, "a channel says that nothing comes any more, and nobody finished it")
                continue
            }
            received(element, thing, me)
        }
    }

    private func makeElement(_ me: WeekFiber) -> WeekElement {
        elementsEver += 1
        return WeekElement(number: elementsEver, sender: me.number, witness: Witness(witnesses))
    }

    private func accepted(_ element: WeekElement, _ thing: WeekChannel, _ me: WeekFiber) {
        note(me, .sent, element.number)
        if !thing.isClosed { thing.held.insert(element.number) }
        // Whoever waited for it may have come to run before its sender.
        if let place = thing.early.firstIndex(of: element.number) {
            thing.early.remove(at: place)
            thing.held.remove(element.number)
        }
    }

    private func received(_ element: WeekElement, _ thing: WeekChannel, _ me: WeekFiber) {
        note(me, .received, element.number)
        if slip == .losesElement, me.random.below(50) == 0 { return }
        if thing.held.remove(element.number) == nil {
            require(!thing.early.contains(element.number), "element \(element.number) was received twice")
            thing.early.append(element.number)
        }
        require(thing.latest[element.sender] ?? 0 < element.number, "what fiber \(element.sender) sent was received in another order")
        thing.latest[element.sender] = element.number
        if slip == .receivesTwice, me.random.below(50) == 0 { received(element, thing, me) }
    }

    /// Ends a channel; another takes its place.
    func endChannel(_ random: inout SimulatedRandom) {
        let place = random.below(channels.count)
        let thing = channels[place]
        channels[place] = WeekChannel(loop, capacity: thing.channel.capacity)
        ended.append(thing)
        if random.below(2) == 0 {
            thing.isFinished = true
            thing.channel.finish()
        } else {
            thing.isClosed = true
            thing.held = []
            thing.channel.close()
        }
    }
}
