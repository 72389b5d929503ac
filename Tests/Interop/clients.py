"""Clients that others wrote, at our servers: curl and wrk at HttpServer, redis-cli and redis-benchmark at RespServer.

usage: clients.py BIN    BIN is the folder of the examples' programs.
Each case says "pass" or "FAIL" with its name; the last line counts. Ports are chosen by the system, on the loopback alone.
"""

import re
import subprocess
import sys

from checks import Checks, equal
from servers import Server

checks = Checks()
http = Server(f"{sys.argv[1]}/HttpServer", "0")
resp = Server(f"{sys.argv[1]}/RespServer", "0")
url = f"http://127.0.0.1:{http.port}"


def run(*command, data=None):
    found = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if found.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with status {found.returncode}: {found.stderr.decode()}")
    return found.stdout


def curl(*arguments, **options):
    return run("curl", "--silent", "--show-error", "--max-time", "30", *arguments, **options)


def redis(*arguments, **options):
    return run("redis-cli", "-h", "127.0.0.1", "-p", str(resp.port), *arguments, **options)


@checks.case("curl: a page, its head alone, and one that is not there", needs="curl")
def pages():
    equal(curl(f"{url}/"), b"hello\n")
    equal(curl("--head", f"{url}/").splitlines()[:1], [b"HTTP/1.1 200 OK"])
    equal(curl("--output", "/dev/null", "--write-out", "%{http_code}", f"{url}/x"), b"404")


@checks.case("curl: two pages on one connection", needs="curl")
def kept():
    form = "%{http_code} %{num_connects}\n"
    equal(curl("--write-out", form, f"{url}/", f"{url}/x", "-o", "/dev/null", "-o", "/dev/null"), b"200 1\n404 0\n")


@checks.case("curl: a body comes back as it was, and one that is too long is refused", needs="curl")
def bodies():
    body = bytes(range(256)) * 4_000
    equal(curl("--data-binary", "@-", f"{url}/echo", data=body), body)
    status = curl("--data-binary", "@-", "-o", "/dev/null", "--write-out", "%{http_code}", f"{url}/echo", data=body + body)
    equal(status, b"413")


@checks.case("wrk: thousands of requests on sixteen connections, and each answer is a 200", needs="wrk")
def load():
    said = run("wrk", "--threads", "1", "--connections", "16", "--duration", "2s", f"{url}/").decode()
    count = int(re.search(r"(\d+) requests in", said).group(1))
    # What wrk says where there are any.
    equal([line for line in said.splitlines() if "Non-2xx" in line or "Socket errors" in line], [])
    equal(count >= 1_000, True)
    print(f"      {count} requests")


@checks.case("redis-cli: what was set is got", needs="redis-cli")
def set_and_got():
    equal(redis("PING"), b"PONG\n")
    equal(redis("SET", "a key", "a value"), b"OK\n")
    equal(redis("GET", "a key"), b"a value\n")
    equal(redis("GET", "none"), b"\n")
    equal(redis("-x", "SET", "bytes", data=bytes(range(256))), b"OK\n")
    equal(redis("GET", "bytes"), bytes(range(256)) + b"\n")
    equal(redis("NONE")[:3], b"ERR")


@checks.case("redis-cli: ten thousand commands by its bulk mode, each answered", needs="redis-cli")
def bulk():
    commands = b"".join(b"SET bulk%d %d\r\n" % (number, number) for number in range(10_000))
    equal(b"errors: 0, replies: 10000" in redis("--pipe", data=commands), True)
    equal(redis("GET", "bulk9999"), b"9999\n")


@checks.case("redis-benchmark: PING, SET and GET, sixteen at a time, and the value it set is there", needs="redis-benchmark")
def benchmark():
    said = run(
        "redis-benchmark", "-h", "127.0.0.1", "-p", str(resp.port), "-t", "ping,set,get", "-n", "20000", "-c", "20", "-P", "16", "-d", "7",
        "--csv").decode()
    equal(re.findall(r'^"(PING_INLINE|PING_MBULK|SET|GET)",', said, re.M), ["PING_INLINE", "PING_MBULK", "SET", "GET"])
    equal(len(redis("GET", "key:__rand_int__")), len("7 bytes\n"))


@checks.case("both servers end in order when they are interrupted")
def interrupt():
    for server in http, resp:
        server.end()


checks.finish()
