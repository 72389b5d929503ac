// libuv's side of the timer benchmark: what starting a timer, stopping it, and letting it fire cost, with COUNT of them in the loop. The
// timers are allocated and initialised outside the timing. Deadlines come from the shared generator, in this order: COUNT within an hour,
// the shuffle for the cancellation, COUNT within a millisecond, COUNT within a second. libuv counts milliseconds, so that all deadlines
// of fire_ns are equal and its heap is already sorted; fire_spread_ns is the figure to compare with a loop that has random deadlines due.
#include "../Floors/common.h"

#include <uv.h>

static const uint64_t hour_ns = 3600u * UINT64_C(1000000000);
static const uint64_t second_ns = 1000000000;
static const uint64_t millisecond_ns = 1000000;

static size_t fired;

static void on_timer(uv_timer_t *timer) {
    (void)timer;
    fired++;
}

static void draw_deadlines(uint64_t *deadlines_ns, size_t count, uint64_t range_ns) {
    for (size_t i = 0; i < count; i++) {
        deadlines_ns[i] = next_random() % range_ns;
    }
}

static uint64_t to_milliseconds_up(uint64_t ns) {
    return (ns + millisecond_ns - 1) / millisecond_ns;
}

static void start_all(uv_timer_t *timers, const uint64_t *deadlines_ns, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uv_timer_start(&timers[i], on_timer, to_milliseconds_up(deadlines_ns[i]), 0);
    }
}

// Starts all timers, waits until all are due, and returns how long each took to fire.
static double fire_all(uv_loop_t *loop, uv_timer_t *timers, uint64_t *deadlines_ns, size_t count, uint64_t range_ns) {
    draw_deadlines(deadlines_ns, count, range_ns);
    uv_update_time(loop);
    start_all(timers, deadlines_ns, count);
    uint64_t wait_ns = range_ns + millisecond_ns;
    nanosleep(&(struct timespec){.tv_sec = (time_t)(wait_ns / second_ns), .tv_nsec = (long)(wait_ns % second_ns)}, NULL);
    fired = 0;
    uint64_t start = now_ns();
    uv_run(loop, UV_RUN_DEFAULT);
    uint64_t end = now_ns();
    if (fired != count) {
        die("%zu timers were started, but %zu fired.", count, fired);
    }
    return (double)(end - start) / (double)count;
}

static void *allocate(size_t count, size_t bytes) {
    void *memory = calloc(count, bytes);
    if (memory == NULL) {
        die("No memory for %zu timers.", count);
    }
    // Writes every page, so that the kernel does not do it inside the timing.
    memset(memory, 1, count * bytes);
    return memory;
}

int main(int argc, char **argv) {
    size_t count = argc > 1 ? (size_t)parse_number("COUNT", argv[1], 1, 100000000) : 1000000;
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t *timers = allocate(count, sizeof *timers);
    uint64_t *deadlines_ns = allocate(count, sizeof *deadlines_ns);
    uint32_t *order = allocate(count, sizeof *order);
    for (size_t i = 0; i < count; i++) {
        uv_timer_init(loop, &timers[i]);
    }

    draw_deadlines(deadlines_ns, count, hour_ns);
    uv_update_time(loop);
    uint64_t insert_start = now_ns();
    start_all(timers, deadlines_ns, count);
    uint64_t insert_end = now_ns();

    // Stopping removes the timer at once; nothing is dispatched later.
    random_order(order, count);
    uint64_t cancel_start = now_ns();
    for (size_t i = 0; i < count; i++) {
        uv_timer_stop(&timers[order[i]]);
    }
    uint64_t cancel_end = now_ns();

    double fire_ns = fire_all(loop, timers, deadlines_ns, count, millisecond_ns);
    double fire_spread_ns = fire_all(loop, timers, deadlines_ns, count, second_ns);
    printf("insert_ns=%.1f cancel_ns=%.1f fire_ns=%.1f fire_spread_ns=%.1f\n", (double)(insert_end - insert_start) / (double)count,
           (double)(cancel_end - cancel_start) / (double)count, fire_ns, fire_spread_ns);
}
