public import _Concurrency

extension EventLoop {
    /// Looks the addresses of a host up, in the order in which to try them.
    ///
    /// ```swift
    /// let addresses = try await loop.resolve("example.com", "443", timeout: .seconds(5))
    /// ```
    ///
    /// The system's own resolver does it, on a thread as ``offload(name:timeout:isolation:_:)`` has them: it blocks, and cannot be stopped.
    /// A lookup that is cancelled or timed out therefore holds its thread until the resolver gives up. Where host and service are numbers
    /// nothing is asked and no thread is needed.
    public func resolve(
        _ host: String, _ service: String, family: AddressFamily = .any, timeout: Duration? = nil,
        isolation: isolated (any Actor)? = #isolation
    ) async throws(ResolveError) -> [SocketAddress] {
        guard let resolver = core.port.system?.resolver else { throw .notSupported }
        guard !core.isClosing else { throw .closed }
        let query = NameQuery(host, service, family)
        guard !query.isMalformed else { throw .malformedName }
        if query.hasNumericService, let addresses = try numericAddresses(query, resolver) { return addresses }
        do throws(OffloadError<ResolveError>) {
            return try await offload(name: "resolve", timeout: timeout, isolation: isolation) { () throws(ResolveError) in
                try resolver.addresses(of: query)
            }
        } catch {
            throw ResolveError(error)
        }
    }

    /// Nil where the host is a name.
    private nonisolated func numericAddresses(
        _ query: NameQuery, _ resolver: any SystemResolver
    ) throws(ResolveError) -> [SocketAddress]? {
        var query = query
        query.numericOnly = true
        do throws(ResolveError) {
            return try resolver.addresses(of: query)
        } catch {
            if case .nameNotFound = error { return nil }
            throw error
        }
    }
}

extension ResolveError {
    fileprivate init(_ error: OffloadError<ResolveError>) {
        self =
            switch error {
            case .failed(let own): own
            case .queueFull(let limit): .queueFull(limit: limit)
            case .cancelled: .cancelled
            case .timedOut: .timedOut
            case .closed: .closed
            case .noThread(let code): .system(code)
            case .notSupported: .notSupported
            }
    }
}
