import Glibc
import Portloop
import SocketOps

@main enum Main {
    static func main() throws {
        guard CommandLine.arguments.count == 2, let port = UInt16(CommandLine.arguments[1]) else {
            fail("usage: HttpServer PORT (0: one that the system chooses)")
        }
        let loop = try EventLoop.native()
        do throws(RunError<SocketError>) {
            try loop.run(cancelledBy: .interrupt, .terminate) { loop async throws(SocketError) in try await serve(port, on: loop) }
        } catch {
            switch error {
            case .interrupted(_, let report): say(report.isClean ? "goodbye" : "left behind: \(report)")
            case .failed(let error): fail("cannot serve: \(error)")
            case .signals(let error): fail("no signals: \(error)")
            }
        }
    }
}

/// Prints a line at once, also into a pipe.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

func fail(_ sentence: String) -> Never {
    say(sentence)
    exit(1)
}
