#include "CTestSupport.h"

#if defined(_WIN32)
void portloop_test_campaign_is_at(const uint8_t *test, uint64_t seed, uint64_t step) {}
#else
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// Campaigns run side by side, each on one thread, and a trap is a signal to the thread that it is on.
static _Thread_local struct {
    const uint8_t *test;
    uint64_t seed, step;
} place;

// A trap is SIGILL or SIGTRAP, by the processor; a use after free may be any of the others.
static const int crashes[] = {SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE};
enum { crash_count = sizeof crashes / sizeof crashes[0] };
static struct sigaction former[crash_count];
static pthread_once_t once = PTHREAD_ONCE_INIT;

// Only what may be called in a signal handler from here on: no formatting of the C library's.
static void say(const char *text, size_t length) {
    while (length > 0) {
        ssize_t count = write(2, text, length);
        if (count <= 0) return;
        text += count;
        length -= (size_t)count;
    }
}

static void say_number(uint64_t number) {
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    say(digits + first, sizeof digits - first);
}

static void note(int crash) {
    if (place.test) {
        say("The crash is in the campaign of ", 32);
        say((const char *)place.test, strlen((const char *)place.test));
        say(", seed ", 7);
        say_number(place.seed);
        say(", step ", 7);
        say_number(place.step);
        say(".\n", 2);
    }
    // What crashed does so once more, and then it is the former owner's.
    for (int index = 0; index < crash_count; index++) {
        if (crashes[index] == crash) sigaction(crash, &former[index], NULL);
    }
}

static void listen_for_crashes(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = SA_ONSTACK;
    for (int index = 0; index < crash_count; index++) sigaction(crashes[index], &action, &former[index]);
}

void portloop_test_campaign_is_at(const uint8_t *test, uint64_t seed, uint64_t step) {
    pthread_once(&once, listen_for_crashes);
    place.test = test;
    place.seed = seed;
    place.step = step;
}
#endif
