internal import LoopSim

extension Suites {
    /// The contract on the real port, once for each kind of handle.
    static var win32: [Suite] {
        [
            contract(.sockets), contract(.pipeServers), contract(.pipeClients), contract(.sockets, checked: true),
            contract(.pipeServers, checked: true), Win32AssociationCases.suite, Win32PacketCases.suite,
            Win32FileCases.suite, Win32ReadinessCases.suite, Win32ConnectionCases.suite,
            Win32WaitCases.suite, Win32RaceCases.suite, Win32FaultCases.suite, TaskCases.suite, Win32SystemCases.suite,
            TCPCases.suite, ConnectCases.suite, NameCases.suite, UDPCases.suite, WatchedCases.suite, TourCases.suite, NamedPipeCases.suite,
        ]
    }

    private static func contract(_ kind: Win32Fixture.Kind, checked: Bool = false) -> Suite {
        let lacks = Win32Fixture(kind).lacks
        return contract(lacks: lacks) { Win32Fixture(kind, checked: checked) }
    }
}
