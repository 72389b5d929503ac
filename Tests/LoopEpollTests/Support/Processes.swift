import CTestSupport

/// Runs a function in a fork of the process and returns its result, or 128 and the signal that ended it.
func inChild(_ body: @escaping () -> Int32) -> Int32 {
    let box = Boxed(body: body)
    return unsafe portloop_test_in_child(
        { box in unsafe box.map { unsafe Unmanaged<Boxed>.fromOpaque($0).takeUnretainedValue().body() } ?? -1 },
        Unmanaged.passUnretained(box).toOpaque())
}

private final class Boxed {
    let body: () -> Int32

    init(body: @escaping () -> Int32) { self.body = body }
}
