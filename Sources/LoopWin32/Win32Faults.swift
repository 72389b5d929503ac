/// Six ways to get Windows wrong, each of which a program has been shipped with: for tests of the tests.
///
/// A port made with one of them is broken in that way and in no other. The suite that runs against ``Win32Port`` must fail for each.
package struct Win32Faults: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Sets FILE_SKIP_COMPLETION_PORT_ON_SUCCESS and waits for the packet of work that was done at once all the same.
    package static let skipsPacketsOnSuccess = Win32Faults(rawValue: 1)
    /// Takes a warning status (ERROR_MORE_DATA, WSAEMSGSIZE) for a failure that owes no packet.
    package static let refusesWarnings = Win32Faults(rawValue: 2)
    /// Gives an operation back as aborted as soon as it has been asked to end.
    package static let freesOnCancel = Win32Faults(rawValue: 4)
    /// Believes `CancelIoEx`: found means that the operation has failed, not found that its packet has been taken.
    package static let trustsCancel = Win32Faults(rawValue: 8)
    /// Reports an aborted operation as one that moved nothing.
    package static let dropsAbortedCounts = Win32Faults(rawValue: 16)
    /// Wakes the port once, and never again.
    package static let forgetsWakes = Win32Faults(rawValue: 32)
}
