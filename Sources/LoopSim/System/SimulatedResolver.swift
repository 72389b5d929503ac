internal import LoopCore

/// Names by a table.
final class SimulatedResolver: SystemResolver {
    // On the one thread there is, whatever number it goes by.
    private nonisolated(unsafe) var table: [String: Result<[SocketAddress], ResolveError>] = [:]

    // SAFETY: see above.
    func set(_ host: String, _ answer: Result<[SocketAddress], ResolveError>) { unsafe table[host] = answer }

    // SAFETY: see above.
    func addresses(of query: NameQuery) throws(ResolveError) -> [SocketAddress] {
        if query.numericOnly {
            guard isNumber(query.host) else { throw .nameNotFound(SimulatedStatus.invalidHandle.error) }
            if unsafe table[query.host] == nil { return [SocketAddress()] }
        }
        guard let answer = unsafe table[query.host] else { throw .nameNotFound(SimulatedStatus.invalidHandle.error) }
        return try answer.get()
    }

    private func isNumber(_ host: String) -> Bool {
        host.utf8.contains(UInt8(ascii: ":"))
            || host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) }
    }
}
