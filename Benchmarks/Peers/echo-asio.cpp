// Standalone Asio's side of the echo benchmark, with callbacks: async_read_some and async_write, one after the other, on one thread. The
// io_context is told of the one thread, and the sockets name its executor type, which spares each operation a type-erased executor.
#include "../Floors/common.h"

#include <array>
#include <asio.hpp>

using asio::ip::tcp;
using loop_executor = asio::io_context::executor_type;
using loop_socket = asio::basic_stream_socket<tcp, loop_executor>;
using loop_acceptor = asio::basic_socket_acceptor<tcp, loop_executor>;

// Exactly one operation of a connection is in flight at any time, so its handler owns the connection and the last one deletes it.
class connection {
public:
    explicit connection(loop_socket socket) : socket(std::move(socket)) {
        this->socket.set_option(tcp::no_delay(true));
    }

    void read() {
        socket.async_read_some(asio::buffer(buffer), [this](std::error_code error, std::size_t count) {
            if (error) {
                delete this;
                return;
            }
            write(count);
        });
    }

private:
    void write(std::size_t count) {
        asio::async_write(socket, asio::buffer(buffer, count), [this](std::error_code error, std::size_t) {
            if (error) {
                delete this;
                return;
            }
            read();
        });
    }

    loop_socket socket;
    std::array<char, 4096> buffer;
};

static void accept_next(loop_acceptor &acceptor) {
    acceptor.async_accept([&acceptor](std::error_code error, loop_socket socket) {
        if (error) {
            die("accept failed: %s", error.message().c_str());
        }
        (new connection(std::move(socket)))->read();
        accept_next(acceptor);
    });
}

int main() {
    begin_server();
    asio::io_context context(1);
    loop_acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    accept_next(acceptor);
    announce_port(acceptor.local_endpoint().port());
    context.run();
}
