import CBench
import Glibc
import Portloop
import Synchronization

/// Two loops on two threads that post to each other and sleep in between: the round trip of a cross-thread wake.
func runWake(rounds: Int, cpus: (Int, Int)?) {
    let here = makeLoop()
    pin(cpus?.0)
    let there = Partner(cpu: cpus?.1)
    let other = there.loop
    let game = Game(here, other)
    for warm in [true, false] {
        game.restart(warm ? rounds / 10 : rounds)
        let began = here.now
        game.serve()
        while !game.isOver { here.turn() }
        let took = here.now.nanoseconds(since: began)
        if !warm { print("rounds=\(rounds) ns_per_round_trip=\(Double(took) / Double(rounds))") }
    }
    there.stop()
}

/// The ball: handed from loop to loop, so one thread at a time has it.
private final class Game: Sendable {
    private let left = Atomic<Int>(0)
    private let near: EventLoop
    private let far: EventLoop

    init(_ near: EventLoop, _ far: EventLoop) { (self.near, self.far) = (near, far) }

    func restart(_ rounds: Int) { left.store(rounds, ordering: .relaxed) }

    var isOver: Bool { left.load(ordering: .relaxed) == 0 }

    // What these capture is the game alone, which needs no box.
    func serve() { far.post { [self] _ in giveBack() } }

    private func giveBack() { near.post { [self] _ in take() } }

    private func take() {
        if left.wrappingSubtract(1, ordering: .relaxed).newValue > 0 { serve() }
    }
}

/// A thread with a loop of its own, which runs until it is told to stop.
private final class Partner: Sendable {
    private let made = Atomic<UInt>(0)
    private let isStopping = Atomic<Bool>(false)

    // SAFETY: the reference handed to the thread is balanced there.
    init(cpu: Int?) {
        var thread = pthread_t()
        let start = Start(self, cpu)
        unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                pin(start.cpu)
                start.partner.run()
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        pthread_detach(thread)
        while made.load(ordering: .acquiring) == 0 { sched_yield() }
    }

    // SAFETY: the thread keeps its loop alive while `made` holds its address.
    var loop: EventLoop {
        guard let address = unsafe UnsafeRawPointer(bitPattern: made.load(ordering: .acquiring)) else { trap("the partner has no loop") }
        return unsafe Unmanaged<EventLoop>.fromOpaque(address).takeUnretainedValue()
    }

    // SAFETY: as for `loop`.
    private func run() {
        let loop = makeLoop()
        made.store(UInt(bitPattern: unsafe Unmanaged.passUnretained(loop).toOpaque()), ordering: .releasing)
        while !isStopping.load(ordering: .relaxed) { loop.turn() }
        loop.shutdown()
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        loop.post { _ in }
    }
}

private final class Start {
    let partner: Partner
    let cpu: Int?

    init(_ partner: Partner, _ cpu: Int?) {
        self.partner = partner
        self.cpu = cpu
    }
}

/// Binds the calling thread to a processor, if one is named.
func pin(_ cpu: Int?) {
    if let cpu { bench_pin(Int32(cpu)) }
}
