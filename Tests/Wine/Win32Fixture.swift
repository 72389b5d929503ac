internal import LoopCore
internal import LoopSim
internal import LoopWin32

/// Handles of Windows for the contract suite.
final class Win32Fixture: ContractFixture {
    enum Kind {
        /// TCP over the loopback interface, and UDP for the cases about datagrams.
        case sockets
        /// A byte pipe. The loop has the server's end.
        case pipeServers
        /// The same. The loop has the client's end.
        case pipeClients

        var name: String {
            switch self {
            case .sockets: "sockets"
            case .pipeServers: "named pipes, the server's end"
            case .pipeClients: "named pipes, the client's end"
            }
        }
    }

    private let kind: Kind
    private let isChecked: Bool
    private let faults: Win32Faults

    init(_ kind: Kind, checked: Bool = false, faults: Win32Faults = []) {
        self.kind = kind
        self.faults = faults
        isChecked = checked
        _ = Win32Fixture.warmUp
    }

    /// Handles that the system opens once for the process are no leak of the first case.
    private static let warmUp: Void = {
        for ends in [Win32.tcpPair(), Win32.udpPair(), Win32.pipePair(near: .server)] {
            Win32.close(ends.near)
            Win32.close(ends.far)
        }
        Win32Fixture(warm: ()).makeLoop(Limits()).shutdown()
    }()

    private init(warm: Void) {
        kind = .sockets
        faults = []
        isChecked = false
    }

    var name: String { "Win32, \(kind.name)\(isChecked ? ", checked" : "")" }

    /// What cases may be skipped for on this kind of handle.
    var lacks: [String] {
        switch kind {
        case .sockets: []
        case .pipeServers, .pipeClients: ["datagrams"]
        }
    }

    var keepsBytesAtHangUp: Bool { true }

    func makeLoop(_ limits: Limits) -> EventLoop {
        do throws(Win32PortError) {
            let port = try Win32Port(faults: faults)
            guard isChecked else { return EventLoop(port: port, limits: limits) }
            // A busy machine may be late by as much as it likes; early is what the port may not be.
            return EventLoop(port: CheckedPort(port, latenessMaxNanoseconds: .max), limits: limits)
        } catch { trap("no completion port: error \(error.code.rawValue)") }
    }

    func makeStream(for use: Direction) -> StreamEnds {
        switch kind {
        case .sockets: Win32.tcpPair()
        case .pipeServers: Win32.pipePair(near: .server)
        case .pipeClients: Win32.pipePair(near: .client)
        }
    }

    func makeDatagrams() -> StreamEnds? { kind == .sockets ? Win32.udpPair() : nil }

    func feed(_ far: NativeHandle, _ bytes: [UInt8]) {
        if kind == .sockets { Win32.send(far.rawValue, bytes) } else { Win32.write(far.rawValue, bytes) }
    }

    func drain(_ far: NativeHandle, max: Int) -> [UInt8] {
        kind == .sockets ? Win32.receive(far.rawValue, max: max) ?? [] : Win32.drainPipe(far.rawValue, max: max)
    }

    func close(_ handle: NativeHandle) { Win32.close(handle) }

    var openHandles: Int? { Win32.openCount }
}
