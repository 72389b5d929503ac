// Calls of Linux that the Glibc module does not export.
#pragma once
#include <stdint.h>

// The process ends when the thread that started it does.
void bench_die_with_parent(void);
// Binds the calling thread to one processor.
void bench_pin(int32_t processor);
// Bytes of the heap that are allocated at present, as the allocator counts them.
uint64_t bench_heap_bytes(void);
