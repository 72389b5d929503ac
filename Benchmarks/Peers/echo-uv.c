// libuv's side of the echo benchmark, in the fastest form its interface has: all connections read into one buffer, the read callback writes
// at once with uv_try_write, which needs no request and no second callback, and only what the kernel refuses is copied into a queued write.
#include "../Floors/common.h"

#include <arpa/inet.h>
#include <uv.h>

enum { backlog_max = 4096 };

static char *shared_buffer;
static size_t buffer_bytes;

// The stream comes first, so that libuv's pointer to it is a pointer to the connection.
struct connection {
    uv_tcp_t stream;
    uv_write_t rest;
    char *rest_bytes;
};

static void must_uv(const char *call, int status) {
    if (status < 0) {
        die("%s failed: %s", call, uv_strerror(status));
    }
}

static void on_close(uv_handle_t *handle) {
    free(((struct connection *)handle)->rest_bytes);
    free(handle);
}

// A failed read and a failed write can both want to close; libuv allows it once.
static void close_connection(struct connection *connection) {
    if (!uv_is_closing((uv_handle_t *)&connection->stream)) {
        uv_close((uv_handle_t *)&connection->stream, on_close);
    }
}

static void lend_buffer(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *buffer) {
    (void)handle;
    (void)suggested_bytes;
    *buffer = uv_buf_init(shared_buffer, (unsigned)buffer_bytes);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer);

static void on_rest_written(uv_write_t *request, int status) {
    struct connection *connection = request->data;
    free(connection->rest_bytes);
    connection->rest_bytes = NULL;
    if (status < 0 || uv_read_start((uv_stream_t *)&connection->stream, lend_buffer, on_read) < 0) {
        close_connection(connection);
    }
}

// The client does not read as fast as it writes: nothing more is read until what the kernel refused is written.
static void write_rest(struct connection *connection, const char *bytes, size_t count) {
    uv_read_stop((uv_stream_t *)&connection->stream);
    connection->rest.data = connection;
    connection->rest_bytes = malloc(count);
    if (connection->rest_bytes == NULL) {
        die("No memory for what the kernel refused.");
    }
    memcpy(connection->rest_bytes, bytes, count);
    uv_buf_t rest = uv_buf_init(connection->rest_bytes, (unsigned)count);
    if (uv_write(&connection->rest, (uv_stream_t *)&connection->stream, &rest, 1, on_rest_written) < 0) {
        close_connection(connection);
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    struct connection *connection = (struct connection *)stream;
    if (count < 0) {
        close_connection(connection);
        return;
    }
    if (count == 0) {
        // libuv's name for EAGAIN.
        return;
    }
    uv_buf_t bytes = uv_buf_init(buffer->base, (unsigned)count);
    int written = uv_try_write(stream, &bytes, 1);
    if (written == count) {
        return;
    }
    if (written < 0 && written != UV_EAGAIN) {
        close_connection(connection);
        return;
    }
    int accepted = written < 0 ? 0 : written;
    write_rest(connection, buffer->base + accepted, (size_t)(count - accepted));
}

static void on_connection(uv_stream_t *listener, int status) {
    must_uv("listen", status);
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL) {
        die("No memory for a connection.");
    }
    connection->rest_bytes = NULL;
    must_uv("uv_tcp_init", uv_tcp_init(listener->loop, &connection->stream));
    must_uv("uv_accept", uv_accept(listener, (uv_stream_t *)&connection->stream));
    must_uv("uv_tcp_nodelay", uv_tcp_nodelay(&connection->stream, 1));
    must_uv("uv_read_start", uv_read_start((uv_stream_t *)&connection->stream, lend_buffer, on_read));
}

int main(int argc, char **argv) {
    begin_server();
    buffer_bytes = parse_buffer_bytes(argc, argv);
    shared_buffer = malloc(buffer_bytes);
    if (shared_buffer == NULL) {
        die("No memory for a buffer.");
    }
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    must_uv("uv_tcp_init", uv_tcp_init(loop, &listener));
    struct sockaddr_in address;
    must_uv("uv_ip4_addr", uv_ip4_addr("127.0.0.1", 0, &address));
    must_uv("uv_tcp_bind", uv_tcp_bind(&listener, (struct sockaddr *)&address, 0));
    must_uv("uv_listen", uv_listen((uv_stream_t *)&listener, backlog_max, on_connection));
    int length = sizeof address;
    must_uv("uv_tcp_getsockname", uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length));
    announce_port(ntohs(address.sin_port));
    return uv_run(loop, UV_RUN_DEFAULT);
}
