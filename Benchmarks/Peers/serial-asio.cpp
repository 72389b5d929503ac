// Asio's serial_port as a client, with callbacks. usage: serial-asio rtt ROUNDS PATH... | cycle ROUNDS PATH | sink BYTES PATH
#include "../Floors/common.h"

#include <asio.hpp>
#include <memory>
#include <string>
#include <vector>

using asio::serial_port;

static serial_port open_port(asio::io_context &context, const std::string &path) {
    serial_port port(context, path);
    port.set_option(serial_port::baud_rate(115200));
    return port;
}

static void report(const char *what, long count, uint64_t began, uint64_t cpu_began) {
    double took = double(now_ns() - began), cpu = double(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_began);
    printf("%s=%ld ns_each=%.1f cpu_ns_each=%.1f\n", what, count, took / double(count), cpu / double(count));
}

struct Trip {
    serial_port port;
    long left;
    char out = 'x';
    char in[64];

    void go() {
        asio::async_write(port, asio::buffer(&out, 1), [this](asio::error_code error, size_t) {
            if (error) die("write: %s", error.message().c_str());
            port.async_read_some(asio::buffer(in), [this](asio::error_code error, size_t count) {
                if (error || count != 1) die("a round trip failed");
                if (--left > 0) go();
            });
        });
    }
};

static void sink(serial_port &port, std::vector<char> &block, long left) {
    port.async_read_some(asio::buffer(block), [&port, &block, left](asio::error_code error, size_t count) {
        if (error) die("read: %s", error.message().c_str());
        if (left > long(count)) sink(port, block, left - long(count));
    });
}

int main(int argc, char **argv) {
    if (argc < 4) die("usage: serial-asio rtt ROUNDS PATH... | cycle ROUNDS PATH | sink BYTES PATH");
    std::string verb = argv[1];
    long count = parse_number("COUNT", argv[2], 1, INT64_MAX / 64);
    asio::io_context context(1);
    if (verb == "cycle") {
        uint64_t began = now_ns(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        for (long i = 0; i < count; i++) open_port(context, argv[3]).close();
        report("cycles", count, began, cpu);
        return 0;
    }
    if (verb == "rtt") {
        std::vector<std::unique_ptr<Trip>> trips;
        for (int i = 3; i < argc; i++) trips.push_back(std::make_unique<Trip>(open_port(context, argv[i]), count));
        uint64_t began = now_ns(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        for (auto &trip : trips) trip->go();
        context.run();
        report("round_trips", count * (argc - 3), began, cpu);
        return 0;
    }
    serial_port port = open_port(context, argv[3]);
    std::vector<char> block(65536);
    uint64_t began = now_ns(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    sink(port, block, count);
    context.run();
    report("bytes", count, began, cpu);
}
