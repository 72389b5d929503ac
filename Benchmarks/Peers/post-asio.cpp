// What one asio::post from the loop's own thread costs, until its handler has run: the peer figure for a loop's queue of ready jobs. The
// posts come in chunks of 1000 from a handler that runs on the loop. Two figures: post_ns with a context that other threads may post to,
// as Portloop's loop allows, and post_unlocked_ns with one that forbids it, which spares the mutex. libuv has nothing cheaper than
// uv_async for this.
#include "../Floors/common.h"

#include <asio.hpp>

static constexpr std::uint64_t posts = 10000000;
static constexpr std::uint64_t posts_per_chunk = 1000;

static std::uint64_t handled;

static void post_chunk(asio::io_context &context) {
    for (std::uint64_t i = 1; i < posts_per_chunk; i++) {
        asio::post(context, [] { handled++; });
    }
    // The last post of a chunk is the one that goes on.
    asio::post(context, [&context] {
        handled++;
        if (handled < posts) {
            post_chunk(context);
        }
    });
}

static double nanoseconds_per_post(int concurrency_hint) {
    handled = 0;
    asio::io_context context(concurrency_hint);
    std::uint64_t start = now_ns();
    post_chunk(context);
    context.run();
    std::uint64_t end = now_ns();
    if (handled != posts) {
        die("%lu handlers should have run, but %lu did.", posts, handled);
    }
    return (double)(end - start) / (double)posts;
}

int main() {
    double locked_ns = nanoseconds_per_post(1);
    double unlocked_ns = nanoseconds_per_post(ASIO_CONCURRENCY_HINT_UNSAFE);
    std::printf("post_ns=%.2f post_unlocked_ns=%.2f\n", locked_ns, unlocked_ns);
}
