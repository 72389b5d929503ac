import Glibc
import Portloop

/// Posting from the loop's own thread, in chunks of a thousand, each run by the loop before the next is posted.
// SAFETY: see `posted`.
func runPost(count: Int) {
    let loop = makeLoop()
    let call: @Sendable (isolated EventLoop) -> Void = { _ in unsafe posted += 1 }
    let began = loop.now
    for _ in 0..<(count / 1000) {
        for _ in 0..<1000 { loop.post(call) }
        while loop.nextDeadline.nanoseconds == 0 { loop.turn(.poll) }
    }
    let took = loop.now.nanoseconds(since: began)
    print("post_ns=\(Double(took) / Double(count)) calls=\(unsafe posted)")
}

// SAFETY: written by posts, which run on the loop's thread, the only one there is.
nonisolated(unsafe) private var posted = 0
