#if PORTLOOP_LINUX
import LoopCore
import SerialOps

/// One sentence about ports with hardware behind them, and the function that shows it. It has a loop of its own, and the adapter is plugged
/// in when it begins.
struct Case: Sendable {
    let name: String
    let body: @Sendable (isolated EventLoop) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (isolated EventLoop) async throws -> Void) {
        self.name = name
        self.body = body
    }
}

/// Ends a case: what was expected did not hold.
struct Unmet: Error, CustomStringConvertible {
    let description: String

    init(_ sentence: String) { description = sentence }
}

func expect(_ holds: Bool, _ sentence: @autoclosure () -> String) throws {
    if !holds { throw Unmet(sentence()) }
}

func expectEqual<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws {
    if found != expected { throw Unmet("\(what): expected \(expected), found \(found)") }
}

/// A call that is to fail in one way.
func expectError<R>(
    _ expected: SerialError, _ what: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws(SerialError) -> R
) async throws {
    try expectFailure(await result(body), expected, what)
}

/// A call that is to have failed in one way.
func expectFailure<R>(_ found: Result<R, SerialError>, _ expected: SerialError, _ what: String) throws {
    switch found {
    case .failure(expected): return
    case .failure(let error): throw Unmet("\(what): expected \(expected), found \(error)")
    case .success(let value): throw Unmet("\(what): expected \(expected), and it returned \(value)")
    }
}

/// What a call came to.
func result<R, E: Error>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(E) -> R
) async -> Result<R, E> {
    do throws(E) { return .success(try await body()) } catch { return .failure(error) }
}
#endif
