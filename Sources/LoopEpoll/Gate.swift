internal import Glibc

/// A mutex and a condition, for the threads of ``FileWorkers``: Synchronization has nothing to wait on.
@safe struct Gate: ~Copyable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    // SAFETY: both are initialised here, stay at their address, and end in `deinit`. With default attributes neither call can fail.
    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    // SAFETY: nobody waits any more, because every thread that may wait keeps the gate's owner alive.
    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    // SAFETY: an initialised mutex, which the body does not lock again.
    borrowing func withLock<Value>(_ body: () -> Value) -> Value {
        unsafe pthread_mutex_lock(mutex)
        let value = body()
        unsafe pthread_mutex_unlock(mutex)
        return value
    }

    /// Waits for ``open()`` or ``openForAll()``, or nothing at all: the caller looks again. Within ``withLock(_:)`` only.
    // SAFETY: the caller holds the mutex.
    borrowing func wait() { unsafe pthread_cond_wait(condition, mutex) }

    // SAFETY: an initialised condition.
    borrowing func open() { unsafe pthread_cond_signal(condition) }

    // SAFETY: as above.
    borrowing func openForAll() { unsafe pthread_cond_broadcast(condition) }
}
