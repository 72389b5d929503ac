import LoopCore
import LoopSim
import Testing

@testable import FileWatch

// The whole adapter on a simulated port: both ways of reading, every race, no kernel and no time.
@Suite("A watch on a simulated port") struct SimulatedWatchTests {
    // example: Simulated
    @Test("No event is lost, whatever becomes of the waits for it", arguments: 0..<50)
    func lossless(seed: UInt64) throws {
        var faults = SimulatedFaults.none
        faults.startsLate = Chance(perThousand: 300)
        faults.slowCancels = Chance(perThousand: 500)
        faults.reordersPackets = Chance(perThousand: 300)
        let simulation = Simulation(seed: seed, faults: faults)
        try simulation.run { [port = simulation.port] loop in
            let (near, far) = port.makeDatagramPair()
            let watch = try await DirectoryWatch(on: loop, source: AttemptSource(port, near), eventsMax: 100)
            var random = SimulatedRandom(seed: seed)
            for number in 0..<40 {
                port.after(UInt64(1 + random.below(1_000_000))) { _ = port.feed(far, inotify(.create, "\(number)")) }
            }
            var found: Set<DirectoryEvent> = []
            while found.count < 40 {
                switch await wait(for: watch, .microseconds(random.below(100))) {
                case .success(let event?): #expect(found.insert(event).inserted)
                case .failure(.timedOut): break
                case let other: Issue.record("\(other)")
                }
            }
            await watch.close()
            port.close(far)
        }
    }
    // example end

    @Test("An event that comes while somebody waits ends the wait") func waited() throws {
        let simulation = Simulation()
        try simulation.run { [port = simulation.port] loop in
            let (near, far) = port.makeDatagramPair()
            let watch = try await DirectoryWatch(on: loop, source: AttemptSource(port, near), eventsMax: 10)
            port.after(5_000_000) { _ = port.feed(far, inotify(.create, "a") + inotify(.delete, "a")) }
            #expect(try await watch.next() == .created("a"))
            #expect(simulation.elapsed == 5_000_000)
            #expect(try await watch.next() == .removed("a"))
            port.after(1) { _ = port.feed(far, inotify(.deleteSelf)) }
            #expect(try await watch.next() == nil)
            #expect(await watch.ending == .deleted)
            await watch.close()
            port.close(far)
        }
    }

    @Test("The second half of a rename is waited for, but not for long") func lateHalf() throws {
        let simulation = Simulation()
        try simulation.run { [port = simulation.port] loop in
            let (near, far) = port.makeDatagramPair()
            let watch = try await DirectoryWatch(on: loop, source: AttemptSource(port, near), eventsMax: 10)
            port.after(1_000_000) { _ = port.feed(far, inotify(.movedFrom, "a", cookie: 3)) }
            port.after(2_000_000) { _ = port.feed(far, inotify(.movedTo, "b", cookie: 3)) }
            #expect(try await watch.next() == .renamed(from: "a", to: "b"))
            #expect(simulation.elapsed == 2_000_000)
            port.after(1_000_000) { _ = port.feed(far, inotify(.movedFrom, "b", cookie: 4)) }
            #expect(try await watch.next() == .removed("b"))
            #expect(simulation.elapsed == 13_000_000)
            port.after(1_000_000) { _ = port.feed(far, inotify(.movedTo, "c", cookie: 4)) }
            #expect(try await watch.next() == .created("c"))
            await watch.close()
            port.close(far)
        }
    }

    @Test("A read that Windows completes at once, with nothing, is a rescan; its status says the same") func overflow() throws {
        let simulation = Simulation()
        try simulation.run { [port = simulation.port] loop in
            let device = port.makeDevice()
            let watch = try await DirectoryWatch(on: loop, source: SubmitSource(port, device), eventsMax: 10)
            port.after(1) { port.complete(device, bytes: notify((1, "a"), (4, "a"), (5, "b"))) }
            #expect(try await watch.next() == .created("a"))
            #expect(try await watch.next() == .renamed(from: "a", to: "b"))
            let enumDirectory = Completion(count: 0, status: RawStatus(rawValue: 0x10C))
            port.after(1) { port.complete(device, enumDirectory) }
            #expect(try await watch.next() == .rescan(.systemQueueFull))
            port.after(1) { port.complete(device, bytes: notify((3, "b"))) }
            #expect(try await watch.next() == .modified("b"))
            await watch.close()
        }
    }

    @Test("An error of the read is the directory's end where the platform says so, and a failure where it does not")
    func errors() throws {
        for (code, isEnd) in [(5, true), (1117, false)] as [(Int32, Bool)] {
            let simulation = Simulation()
            try simulation.run { [port = simulation.port] loop in
                let device = port.makeDevice()
                let watch = try await DirectoryWatch(on: loop, source: SubmitSource(port, device), eventsMax: 10)
                let failure = Completion(
                    count: 0, error: SystemCode(rawValue: code), status: RawStatus(rawValue: 0xC000_0001), severity: .error)
                port.after(1) { port.complete(device, failure) }
                let found = await wait(for: watch)
                #expect(found == (isEnd ? .success(nil) : .failure(.system(.read, SystemCode(rawValue: code)))))
                #expect(await watch.ending == (isEnd ? .deleted : nil))
                await watch.close()
            }
        }
    }

    @Test("A read that is refused at once fails the watch with the system's code") func refused() throws {
        var faults = SimulatedFaults.none
        faults.refusesOperations = .always
        let simulation = Simulation(faults: faults)
        try simulation.run { [port = simulation.port] loop in
            let watch = try await DirectoryWatch(on: loop, source: SubmitSource(port, port.makeDevice()), eventsMax: 10)
            #expect(await wait(for: watch) == .failure(.system(.read, SimulatedStatus.noResources.error)))
            await watch.close()
        }
    }

    @Test("A close during a read keeps what the read brings, if that comes first", arguments: 0..<20)
    func closeRace(seed: UInt64) throws {
        var faults = SimulatedFaults.none
        faults.slowCancels = .always
        let simulation = Simulation(seed: seed, faults: faults)
        try simulation.run { [port = simulation.port] loop in
            let device = port.makeDevice()
            let watch = try await DirectoryWatch(on: loop, source: SubmitSource(port, device), eventsMax: 10)
            let wasRead = Flag()
            port.after(100_000) { if port.complete(device, bytes: notify((1, "a"))) { wasRead.set() } }
            await watch.close()
            #expect(try await watch.next() == (wasRead.isSet ? .created("a") : nil))
            #expect(try await watch.next() == nil)
            #expect(await watch.ending == .closed)
        }
    }

    @Test("A driver that answers nothing keeps a close for the grace, and no longer") func stuck() throws {
        var faults = SimulatedFaults.none
        faults.getsStuck = .always
        let simulation = Simulation(faults: faults)
        try simulation.run { [port = simulation.port] loop in
            let device = port.makeDevice()
            let watch = try await DirectoryWatch(on: loop, source: SubmitSource(port, device), eventsMax: 10)
            await watch.close()
            #expect(simulation.elapsed == Limits().cancelGraceNanoseconds)
            #expect(await watch.ending == .closed)
            port.releaseStuck()
        }
    }

    @Test("A watch that is dropped while its read is in flight closes its handle") func dropped() throws {
        let simulation = Simulation()
        try simulation.run { [port = simulation.port] loop in
            let device = port.makeDevice()
            _ = try await DirectoryWatch(on: loop, source: SubmitSource(port, device), eventsMax: 10)
            while port.openHandleCount > 0 { await Task.yield() }
        }
    }

    @Test("A watch on a handle that the loop does not take is refused, and owns it no more") func notAccepted() throws {
        let simulation = Simulation()
        try simulation.run { [port = simulation.port] loop in
            let gone = port.makeDevice()
            port.close(gone)
            do throws(WatchError) {
                _ = try await DirectoryWatch(on: loop, source: SubmitSource(port, gone), eventsMax: 10)
                Issue.record("a handle that is closed is watched")
            } catch {
                #expect(error == .notAccepted(.badHandle))
            }
        }
    }
}

/// Set on the loop's thread, read there.
private final class Flag: Sendable {
    private nonisolated(unsafe) var value = false

    // SAFETY: one thread, the loop's.
    var isSet: Bool { unsafe value }

    // SAFETY: as above.
    func set() { unsafe value = true }
}
