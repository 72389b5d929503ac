public import LoopCore

/// The simulated world as a fixture of the contract suite.
///
/// Handles live in the port that was made last: a case that makes a loop of its own opens its streams there. Time is virtual, so a case of
/// two seconds takes none.
public final class SimulatedFixture: ContractFixture {
    private let seed: UInt64
    private let isChecked: Bool
    private var latest: SimulatedPort?
    private var owners: [NativeHandle: SimulatedPort] = [:]

    /// A fixture whose ports draw from the seed, under the checked port if asked for.
    public init(seed: UInt64, checked: Bool = false) {
        self.seed = seed
        isChecked = checked
    }

    public var name: String { "simulated streams" }

    public var keepsBytesAtHangUp: Bool { true }

    public func makeLoop(_ limits: Limits) -> EventLoop {
        let port = SimulatedPort(seed: seed)
        latest = port
        return isChecked ? EventLoop(port: CheckedPort(port), limits: limits) : EventLoop(port: port, limits: limits)
    }

    public func makeStream(for use: Direction) -> StreamEnds { own(world.makeStreamPair()) }

    public func makeDatagrams() -> StreamEnds? { own(world.makeDatagramPair()) }

    public func feed(_ far: NativeHandle, _ bytes: [UInt8]) {
        let count = owner(of: far).feed(far, bytes)
        guard count == bytes.count else { trap("A simulated stream had room for \(count) of \(bytes.count) bytes.") }
    }

    public func drain(_ far: NativeHandle, max: Int) -> [UInt8] { owner(of: far).drain(far, max: max) ?? [] }

    public func close(_ handle: NativeHandle) {
        owner(of: handle).close(handle)
        owners[handle] = nil
    }

    public var openHandles: Int? { owners.count }

    private var world: SimulatedPort {
        guard let latest else { trap("A simulated stream needs a loop to live in: make the loop first.") }
        return latest
    }

    private func own(_ pair: (near: NativeHandle, far: NativeHandle)) -> StreamEnds {
        owners[pair.near] = latest
        owners[pair.far] = latest
        return StreamEnds(near: pair.near, far: pair.far)
    }

    private func owner(of handle: NativeHandle) -> SimulatedPort {
        guard let port = owners[handle] else { trap("No simulated port has handle \(handle.rawValue).") }
        return port
    }
}
