// The floor of waking a loop from another thread: two threads, each blocked in epoll_wait on an eventfd of its own, wake each other in
// turns. One round trip is two wakes. The eventfds are edge-triggered and never read: every write is an edge, whatever the counter holds,
// and the counter overflows only after 2^64 wakes. Without CPU numbers the scheduler places the threads, which changes the figure tenfold.
#include "common.h"

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static const long cpu_unpinned = -1;

struct side {
    int epoll;
    int event;
    int event_of_other;
    long cpu;
    long rounds;
};

static void pin(long cpu) {
    if (cpu == cpu_unpinned) {
        return;
    }
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)cpu, &cpus);
    must("sched_setaffinity", sched_setaffinity(0, sizeof cpus, &cpus));
}

static struct side make_side(long cpu, long rounds) {
    struct side side = {.cpu = cpu, .rounds = rounds};
    side.epoll = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    side.event = (int)must("eventfd", eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    must("epoll_ctl", epoll_ctl(side.epoll, EPOLL_CTL_ADD, side.event, &event));
    return side;
}

static void wait_for_other(const struct side *side) {
    struct epoll_event event;
    must("epoll_wait", epoll_wait(side->epoll, &event, 1, -1));
}

static void wake_other(const struct side *side) {
    must("eventfd_write", eventfd_write(side->event_of_other, 1));
}

static void *answer(void *context) {
    const struct side *side = context;
    pin(side->cpu);
    for (long i = 0; i < side->rounds; i++) {
        wait_for_other(side);
        wake_other(side);
    }
    return NULL;
}

static void ask(const struct side *side, long rounds) {
    for (long i = 0; i < rounds; i++) {
        wake_other(side);
        wait_for_other(side);
    }
}

int main(int argc, char **argv) {
    if (argc != 2 && argc != 4) {
        die("usage: wake ROUNDS [CPU_A CPU_B]");
    }
    long rounds = parse_number("ROUNDS", argv[1], 1, INT32_MAX);
    long warm_up_rounds = rounds / 10 + 1;
    long cpu_a = argc == 4 ? parse_number("CPU_A", argv[2], 0, CPU_SETSIZE - 1) : cpu_unpinned;
    long cpu_b = argc == 4 ? parse_number("CPU_B", argv[3], 0, CPU_SETSIZE - 1) : cpu_unpinned;
    struct side a = make_side(cpu_a, warm_up_rounds + rounds);
    struct side b = make_side(cpu_b, warm_up_rounds + rounds);
    a.event_of_other = b.event;
    b.event_of_other = a.event;

    pthread_t thread;
    int error = pthread_create(&thread, NULL, answer, &b);
    if (error != 0) {
        die("pthread_create failed: %s", strerror(error));
    }
    pin(a.cpu);
    ask(&a, warm_up_rounds);
    uint64_t start = now_ns();
    ask(&a, rounds);
    uint64_t end = now_ns();
    pthread_join(thread, NULL);
    printf("rounds=%ld ns_per_round_trip=%.1f\n", rounds, (double)(end - start) / (double)rounds);
}
