// Standalone Asio's side of the timer benchmark: what starting a timer, cancelling it, and letting it fire cost, with COUNT of them in
// the loop. The timers and the memory of their waits are allocated outside the timing. Asio cancels in two steps, the removal and the
// dispatch of the aborted handler; cancel_total_ns is both. Deadlines come from the shared generator, in this order: COUNT within an
// hour, the shuffle for the cancellation, COUNT within the past millisecond.
#include "../Floors/common.h"

#include <asio.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <vector>

using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using loop_executor = asio::io_context::executor_type;
using loop_timer = asio::basic_waitable_timer<steady_clock, asio::wait_traits<steady_clock>, loop_executor>;

static const std::uint64_t hour_ns = 3600u * UINT64_C(1000000000);
static const std::uint64_t millisecond_ns = 1000000;

struct outcome_counts {
    std::size_t fired = 0;
    std::size_t aborted = 0;
};

// Asio allocates an operation for each wait, unless the handler brings an allocator. This one lends it the memory beside the timer, which
// halves the cost of an insertion. A timer has one wait at a time, and Asio returns the memory before it calls the handler.
struct operation_memory {
    alignas(std::max_align_t) std::byte bytes[128];
};

template <typename T>
struct operation_allocator {
    using value_type = T;
    operation_memory *memory;

    explicit operation_allocator(operation_memory *memory) : memory(memory) {}
    template <typename U>
    operation_allocator(const operation_allocator<U> &other) : memory(other.memory) {}

    T *allocate(std::size_t) {
        static_assert(sizeof(T) <= sizeof(operation_memory));
        return reinterpret_cast<T *>(memory->bytes);
    }
    void deallocate(T *, std::size_t) {}
};

struct timer_slot {
    loop_timer timer;
    operation_memory memory;

    explicit timer_slot(asio::io_context &context) : timer(context) {}
};

struct wait_handler {
    outcome_counts *counts;
    operation_memory *memory;

    using allocator_type = operation_allocator<std::byte>;
    allocator_type get_allocator() const noexcept { return allocator_type(memory); }

    void operator()(std::error_code error) const { error ? counts->aborted++ : counts->fired++; }
};

static std::vector<nanoseconds> draw_deadlines(std::size_t count, std::uint64_t range_ns) {
    std::vector<nanoseconds> deadlines(count);
    for (nanoseconds &deadline : deadlines) {
        deadline = nanoseconds(next_random() % range_ns);
    }
    return deadlines;
}

static void start(timer_slot &slot, steady_clock::time_point deadline, outcome_counts &counts) {
    slot.timer.expires_at(deadline);
    slot.timer.async_wait(wait_handler{&counts, &slot.memory});
}

// Runs all handlers that are due. Without timers the context has no work and stops, so it must be restarted before the next use.
static void run(asio::io_context &context) {
    context.run();
    context.restart();
}

int main(int argc, char **argv) {
    std::size_t count = argc > 1 ? (std::size_t)parse_number("COUNT", argv[1], 1, 100000000) : 1000000;
    asio::io_context context(1);
    outcome_counts counts;
    // A deque, because a slot must not move.
    std::deque<timer_slot> timers;
    for (std::size_t i = 0; i < count; i++) {
        timers.emplace_back(context);
    }

    std::vector<nanoseconds> deadlines = draw_deadlines(count, hour_ns);
    steady_clock::time_point now = steady_clock::now();
    std::uint64_t insert_start = now_ns();
    for (std::size_t i = 0; i < count; i++) {
        start(timers[i], now + deadlines[i], counts);
    }
    std::uint64_t insert_end = now_ns();

    std::vector<std::uint32_t> order(count);
    random_order(order.data(), count);
    std::uint64_t cancel_start = now_ns();
    for (std::uint32_t i : order) {
        timers[i].timer.cancel();
    }
    std::uint64_t cancel_end = now_ns();
    run(context);
    std::uint64_t dispatch_end = now_ns();

    deadlines = draw_deadlines(count, millisecond_ns);
    now = steady_clock::now();
    for (std::size_t i = 0; i < count; i++) {
        start(timers[i], now - deadlines[i], counts);
    }
    std::uint64_t fire_start = now_ns();
    run(context);
    std::uint64_t fire_end = now_ns();
    if (counts.aborted != count || counts.fired != count) {
        die("%zu timers were started twice, but %zu were cancelled and %zu fired.", count, counts.aborted, counts.fired);
    }
    double timers_count = (double)count;
    std::printf("insert_ns=%.1f cancel_ns=%.1f cancel_dispatch_ns=%.1f cancel_total_ns=%.1f fire_ns=%.1f\n",
                (double)(insert_end - insert_start) / timers_count, (double)(cancel_end - cancel_start) / timers_count,
                (double)(dispatch_end - cancel_end) / timers_count, (double)(dispatch_end - cancel_start) / timers_count,
                (double)(fire_end - fire_start) / timers_count);
}
