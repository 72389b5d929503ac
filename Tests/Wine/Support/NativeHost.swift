#if !hasFeature(Embedded)
internal import Foundation
internal import LoopCore

// The same suites as a program of Windows, without an image: `swift run WindowsSuite`. The workflow runs it on Windows itself.

/// What the program around the suites does for them: here it is the program.
enum Host {
    /// At once: a case may be the last.
    static func beginCase(_ name: String) { flush() }

    static func flush() { _ = fflush(nil) }

    /// Of the image's host only.
    static func callMissingFunction() {}

    // Nobody here lists ports or makes devices: of the image's host only.
    static func list(_ port: String, of device: String) -> UInt32 { notSupported }
    static func strike(_ device: String) -> UInt32 { notSupported }
    static func addDevice(_ instance: String, hardware: String, name: String, port: String) -> UInt32 { notSupported }
    static func removeDevice(_ instance: String) -> UInt32 { notSupported }
    private static let notSupported: UInt32 = 50

    static var arguments: [String] { Array(CommandLine.arguments.dropFirst()) }
}

extension Suites {
    /// There is none.
    static var image: [Suite] { [] }
}

@main enum WindowsSuite {
    static func main() { exit(Program.run(Host.arguments)) }
}

/// On Windows itself a fiber's task prefers its loop.
enum Jobs {
    static func live<Failure: Error>(on loop: EventLoop, _ body: () throws(Failure) -> Void) throws(Failure) { try body() }
}
#endif
