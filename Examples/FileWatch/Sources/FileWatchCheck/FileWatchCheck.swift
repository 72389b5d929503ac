import Portloop

/// One thing that a watch promises, and what shows that it keeps it.
struct Check: Sendable {
    let name: String
    let body: @Sendable (Site) async throws(Failure) -> Void

    init(_ name: String, _ body: @escaping @Sendable (Site) async throws(Failure) -> Void) {
        self.name = name
        self.body = body
    }

    /// Runs on a loop and in a directory of its own, of which nothing may be left.
    func run() throws(Failure) {
        let loop: EventLoop
        do throws(NativePortError) { loop = try EventLoop.native() } catch { throw Failure("no loop: \(error)") }
        let site = Site(loop: loop)
        defer { site.folder.removeAll() }
        let body = body
        try loop.run { _ throws(Failure) in try await body(site) }
        let report = loop.shutdown()
        try require(report.isClean, "\(report.operations.count) operations are left")
        try require(System.openHandles == 0, "a handle is left open")
    }
}

func start() {
    var failures = 0
    let checks = Check.events + Check.bounds + Check.ends + Check.callers
    for check in checks {
        do throws(Failure) {
            try check.run()
            print("ok: \(check.name)")
        } catch {
            failures += 1
            print("FAILED: \(check.name): \(error.sentence)")
        }
    }
    print("\(checks.count - failures) passed, \(failures) failed")
    System.end(failures == 0 ? 0 : 1)
}

@main enum FileWatchCheck { static func main() { start() } }
