#if canImport(Glibc)
import Glibc
import LoopCore
import LoopSim
import Testing

/// A simulated port with real threads beside it.
@Suite("Real threads on a simulated port") struct ThreadTests {
    @Test("A loop that waits without a bound is woken by every thread that posts") func wakes() throws {
        let waker = SimulatedWaker(realThread: { UInt(pthread_self()) })
        let port = SimulatedPort(waker: waker)
        let loop = EventLoop(port: port)
        port.whenIdle {
            sched_yield()
            return .lookAgain
        }
        let posts = Posts(loop: loop)
        var thread = pthread_t()
        let started = unsafe pthread_create(
            &thread, nil,
            { argument in
                let posts = unsafe Unmanaged<Posts>.fromOpaque(argument!).takeRetainedValue()
                for _ in 0..<Posts.count { posts.loop.post { _ in posts.ran() } }
                return nil
            }, Unmanaged.passRetained(posts).toOpaque())
        try #require(started == 0)
        while posts.done < Posts.count { loop.turn() }
        let joined = pthread_join(thread, nil)
        #expect(joined == 0)
        #expect(loop.shutdown().isClean)
    }

    /// Touched by the loop's thread, but for the loop itself.
    private final class Posts: Sendable {
        static let count = 1000
        let loop: EventLoop
        private nonisolated(unsafe) var soFar = 0

        init(loop: EventLoop) { self.loop = loop }

        var done: Int { unsafe soFar }
        func ran() { unsafe soFar += 1 }
    }
}
#endif
