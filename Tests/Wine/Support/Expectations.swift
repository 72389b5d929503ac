internal import _Concurrency

// What tasks of an adapter's cases expect. A check fails by being thrown: a task may not touch what the suite collects.

/// What a function returned or threw.
func result<R, E: Error>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(E) -> R
) async -> Result<R, E> {
    do throws(E) { return .success(try await body()) } catch { return .failure(error) }
}

func must<R, E: Error & CustomStringConvertible>(
    _ what: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws(E) -> R
) async throws(Unmet) -> R {
    do throws(E) { return try await body() } catch { throw .failed("\(what): \(error.description)") }
}

/// It MUST be refused so.
func mustFail<R, E: Error & CustomStringConvertible & Equatable>(
    _ what: String, _ expected: E, isolation: isolated (any Actor)? = #isolation, _ body: () async throws(E) -> R
) async throws(Unmet) {
    do throws(E) {
        _ = try await body()
    } catch {
        if error == expected { return }
        throw .failed("\(what): expected \(expected.description), found \(error.description)")
    }
    throw .failed("\(what): expected \(expected.description), and it was done")
}

/// It MUST have been refused so.
func demandFailure<R, E: Error & CustomStringConvertible & Equatable>(
    _ found: Result<R, E>, _ expected: E, _ what: String
) throws(Unmet) {
    switch found {
    case .success: throw .failed("\(what): expected \(expected.description), and it was done")
    case .failure(let error):
        if error != expected { throw .failed("\(what): expected \(expected.description), found \(error.description)") }
    }
}

extension Result where Failure: Equatable {
    var isSuccess: Bool { if case .success = self { true } else { false } }

    func isFailure(_ expected: Failure) -> Bool { if case .failure(expected) = self { true } else { false } }
}

func demand(_ isMet: Bool, _ what: @autoclosure () -> String) throws(Unmet) { if !isMet { throw .failed(what()) } }

func demandEqual(_ found: [UInt8], _ expected: [UInt8], _ what: String) throws(Unmet) {
    guard found != expected else { return }
    throw .failed("\(what): expected \(expected.count) bytes, found \(found.count), or others")
}

/// Numbers of a case's own, the same in every run.
struct Dice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func roll(_ count: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(truncatingIfNeeded: state >> 33) % count
    }
}
