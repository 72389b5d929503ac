// Standalone Asio's side of the echo benchmark, with C++20 coroutines: one coroutine per connection that awaits its read and its write.
// As in the form with callbacks, the io_context is told of the one thread and its executor type is named, also in the awaitables.
#include "../Floors/common.h"

#include <asio.hpp>
#include <vector>

using asio::ip::tcp;
using loop_executor = asio::io_context::executor_type;
using loop_socket = asio::basic_stream_socket<tcp, loop_executor>;
using loop_acceptor = asio::basic_socket_acceptor<tcp, loop_executor>;
using loop_awaitable = asio::awaitable<void, loop_executor>;

static constexpr asio::use_awaitable_t<loop_executor> use_loop_awaitable;

// An error of the read or the write is thrown, ends the coroutine, and with it the connection: once per connection, not per request.
static loop_awaitable echo(loop_socket socket, std::size_t buffer_bytes) {
    std::vector<char> buffer(buffer_bytes);
    socket.set_option(tcp::no_delay(true));
    for (;;) {
        std::size_t count = co_await socket.async_read_some(asio::buffer(buffer), use_loop_awaitable);
        co_await asio::async_write(socket, asio::buffer(buffer, count), use_loop_awaitable);
    }
}

// `detached` drops the exception that ends a connection.
static loop_awaitable accept_all(loop_acceptor &acceptor, std::size_t buffer_bytes) {
    for (;;) {
        loop_socket socket = co_await acceptor.async_accept(use_loop_awaitable);
        asio::co_spawn(acceptor.get_executor(), echo(std::move(socket), buffer_bytes), asio::detached);
    }
}

int main(int argc, char **argv) {
    begin_server();
    std::size_t buffer_bytes = parse_buffer_bytes(argc, argv);
    asio::io_context context(1);
    loop_acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    auto failed = [](std::exception_ptr error) { std::rethrow_exception(error); };
    asio::co_spawn(context.get_executor(), accept_all(acceptor, buffer_bytes), failed);
    announce_port(acceptor.local_endpoint().port());
    context.run();
}
