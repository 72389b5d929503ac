import CTestSupport
import Glibc
import LoopCore

/// Runs a function on a thread that shares no descriptor with the rest of the process, and waits for it.
///
/// So it can count its descriptors while other tests open and close theirs beside it, and a loop made in it is on a thread of its own. The
/// kernel copies nothing: `close_range` gives the thread a table with the first three descriptors only, so no other test's pipe is kept
/// open by a copy here.
// SAFETY: the box outlives the thread, which is joined.
func onThreadOfItsOwn<R: Sendable>(_ body: @escaping @Sendable () -> R) -> R {
    let box = ResultBox(body)
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(box).toOpaque()
    let failed = unsafe pthread_create(
        &thread, nil,
        { argument in
            guard let argument = unsafe argument else { return nil }
            unsafe Unmanaged<AnyBox>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, argument)
    guard failed == 0 else { trap("no thread: error \(failed)") }
    pthread_join(thread, nil)
    return box.take()
}

private class AnyBox {
    func run() {}
}

private final class ResultBox<R>: AnyBox {
    private let body: () -> R
    private var result: R?

    init(_ body: @escaping () -> R) { self.body = body }

    override func run() {
        let failed = portloop_test_unshare_descriptors(3)
        guard failed == 0 else { trap("close_range: error \(failed)") }
        result = body()
    }

    func take() -> R {
        guard let result else { trap("the thread ended without a result") }
        return result
    }
}
