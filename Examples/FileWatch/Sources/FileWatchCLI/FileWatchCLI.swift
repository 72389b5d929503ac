import FileWatch
import Portloop

// filewatch PATH: a line for each event, until the directory goes or somebody stops the program.

/// Watches the directory on the loop of the calling thread. Returns the program's status.
func watch(_ path: String) -> Int32 {
    let loop: EventLoop
    do throws(NativePortError) { loop = try EventLoop.native() } catch { return fail("no loop: \(error)") }
    defer { loop.shutdown() }
    return loop.run { loop in
        do throws(WatchError) {
            let watch = try await DirectoryWatch(on: loop, path: path)
            say("watching \(path)")
            while let event = try await watch.next() { say(event.line) }
            say(await watch.ending?.line ?? "ended")
            await watch.close()
            return 0
        } catch {
            return fail("\(path): \(error)")
        }
    }
}

extension DirectoryEvent {
    fileprivate var line: String {
        switch self {
        case .created(let name): "created \(name)"
        case .removed(let name): "removed \(name)"
        case .renamed(let from, let to): "renamed \(from) to \(to)"
        case .modified(let name): "modified \(name)"
        case .attributesChanged(let name): "attributes of \(name)"
        case .rescan(let reason): "rescan: \(reason)"
        }
    }
}

extension WatchEnding {
    fileprivate var line: String { "ended: \(self)" }
}

@main enum FileWatchCLI {
    static func main() {
        let arguments = CommandLine.arguments
        end(arguments.count == 2 ? watch(arguments[1]) : fail("usage: filewatch PATH"))
    }
}
