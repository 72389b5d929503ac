"""Programs that others wrote, at the other end of a port: pyserial by itself, and lrzsz through a bridge.

usage: serial_ports.py PROGRAM FOLDER    PROGRAM is SerialProgram, FOLDER an empty one for links and files.
Each case says "pass" or "FAIL" with its name; the last line counts. Everything that is started ends with this program.
"""

import hashlib
import os
import random
import select
import subprocess
import sys

import serial

from checks import Checks, equal, pair, terminal_of

program, folder = sys.argv[1], sys.argv[2]
checks = Checks()


def said(child, line):
    """Waits until the program says a line on its error output."""
    while True:
        ready, _, _ = select.select([child.stderr], [], [], 20)
        if not ready:
            raise RuntimeError(f"it did not say {line!r}")
        found = child.stderr.readline().decode()
        if not found:
            raise RuntimeError(f"it ended before it said {line!r}")
        if found.strip() == line:
            return


def ours(verb, path, **options):
    child = checks.start([program, verb, path], stderr=subprocess.PIPE, **options)
    said(child, "ready")
    return child


def exact(port, count):
    data = b""
    while len(data) < count:
        more = port.read(count - len(data))
        if not more:
            raise RuntimeError(f"only {len(data)} of {count} bytes came")
        data += more
    return data


@checks.case("pyserial: a megabyte of everything comes back as it was")
def echo():
    mine, theirs = pair(checks, folder, "echo")
    child = ours("echo", mine)
    data = random.Random(1).randbytes(1 << 20) + b"\nend\n"
    with serial.Serial(theirs, 115200, timeout=20, write_timeout=20) as port:
        back = b""
        for begin in range(0, len(data), 4096):
            piece = data[begin:begin + 4096]
            port.write(piece)
            back += exact(port, len(piece))
    equal(hashlib.sha256(back).hexdigest(), hashlib.sha256(data).hexdigest())
    equal(child.wait(20), 0)


@checks.case("pyserial: a line protocol")
def line_protocol():
    mine, theirs = pair(checks, folder, "sum")
    child = ours("sum", mine)
    with serial.Serial(theirs, 115200, timeout=20) as port:
        for number in range(500):
            port.write(f"ADD {number} {number * 3}\r\n".encode())
            equal(port.readline(), f"{number * 4}\r\n".encode())
        port.write(b"HELLO\n")
        equal(port.readline(), b"-1\r\n")
        port.write(b"END\n")
    equal(child.wait(20), 0)


@checks.case("pyserial: XOFF holds our writes back, XON lets them go on, and nothing is lost")
def flow_control():
    mine, theirs = pair(checks, folder, "flow")
    port = serial.Serial(theirs, 115200, timeout=20)
    port.write(b"\x13")
    port.flush()
    child = checks.start([program, "flow", mine], stderr=subprocess.PIPE)
    said(child, "ready")
    # The XOFF may have come before our side was set to heed it.
    port.write(b"\x13")
    said(child, "held back")
    port.write(b"\x11")
    data = exact(port, 256 * 4096)
    equal(data, b"\x55" * len(data))
    port.close()
    equal(child.wait(20), 0)


def transfer(name, sender, receiver, size):
    data = random.Random(2).randbytes(size)
    received = f"{folder}/{name}-in"
    os.makedirs(received, exist_ok=True)
    with open(f"{folder}/{name}.bin", "wb") as file:
        file.write(data)
    # The receiver has pipes: on a terminal it flushes its own last answer away before anybody can have read it.
    mine = terminal_of(checks, folder, name, receiver, received)
    bridge = checks.start([program, "bridge", mine], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said(bridge, "ready")
    sz = checks.start(sender + [f"{folder}/{name}.bin"], stdin=bridge.stdout, stdout=bridge.stdin, stderr=subprocess.DEVNULL)
    equal(sz.wait(60), 0)
    bridge.stdin.close()
    equal(bridge.wait(30), 0)
    found = open(f"{received}/{name}.bin", "rb").read()
    # XMODEM knows no sizes: it fills the last block.
    equal(found[:size], data)
    if name == "zmodem":
        equal(len(found), size)


@checks.case("lrzsz: a file by ZMODEM, through our port, byte for byte")
def zmodem():
    transfer("zmodem", ["sz", "-b", "-q"], "rz -b -q", 300_000)


@checks.case("lrzsz: a file by XMODEM, through our port, byte for byte")
def xmodem():
    transfer("xmodem", ["sx", "-k", "-b", "-q"], "rx -b -q xmodem.bin", 50_000)


checks.finish()
