// What tests need of the system and Swift's Glibc module cannot give them.
#ifndef CTESTSUPPORT_H
#define CTESTSUPPORT_H
#include <stdint.h>

// GNU's own, which the Glibc module does not have.
extern int pipe2(int ends[2], int flags);

// Gives the calling thread a table of descriptors of its own, with those below `first` alone. 0, or the error number.
int32_t portloop_test_unshare_descriptors(uint32_t first);

// Forks, calls the function in the child, and ends the child with its result. Returns the child's exit status, or 128 and the signal.
int32_t portloop_test_in_child(int32_t (*function)(void *), void *argument);

// Forks a child that holds every descriptor of this process and does nothing until it is ended. Its process id, or -1.
int32_t portloop_test_holding_child(void);
void portloop_test_end_child(int32_t child);

// How often the calling thread has called these so far; those of the test's runtime call the kernel as they like. The calls themselves are
// counted by functions of the same names in CTestSupport.c, which the linker puts before the C library's; under a sanitizer, which does that
// itself, nothing is counted.
struct portloop_test_counts {
    uint64_t allocations, epoll_control, waits, reads, writes, others;
};
int32_t portloop_test_can_count(void);
struct portloop_test_counts portloop_test_counts(void);

// Calls the function on a thread of its own, which nobody joins. 0, or the error number.
int32_t portloop_test_on_thread(void *(*function)(void *), void *argument);

// How often the calling thread has given up its processor to wait.
int64_t portloop_test_waits_of_this_thread(void);

// Where the calling thread is in a campaign: said on standard error if the process crashes there, and nowhere otherwise. The name of the
// test is UTF-8, ends with a zero and stays; without one the campaign is over.
void portloop_test_campaign_is_at(const uint8_t *test, uint64_t seed, uint64_t step);

#endif
