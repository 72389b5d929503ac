"""pyserial's client of RFC 2217 at SerialBridge, which has a pseudo terminal for a port.

usage: serial_bridge.py PROGRAM    PROGRAM is SerialBridge.
Each case says "pass" or "FAIL" with its name; the last line counts. Everything that is started ends with this program.
"""

import os
import random
import signal
import subprocess
import sys
import threading

import serial

from checks import Checks, equal
from servers import Server
from terminals import Terminal, until

checks = Checks()
terminal = Terminal()
bridge = Server(sys.argv[1], terminal.path, "0")


def opened(**settings):
    return serial.serial_for_url(f"rfc2217://127.0.0.1:{bridge.port}", timeout=20, **settings)


def exact(port, count):
    data = port.read(count)
    equal(len(data), count)
    return data


def sockets():
    """Of the bridge, with the one that listens."""
    folder = f"/proc/{bridge.child.pid}/fd"
    return sum(os.readlink(f"{folder}/{name}").startswith("socket:") for name in os.listdir(folder))


@checks.case("pyserial: opens, and everything goes both ways as it was: 255 and the commands of Telnet too")
def both_ways():
    data = random.Random(1).randbytes(100_000) + b"\xff" * 100 + b"\xff\xfa\x2c\x01\xff\xf0\r\n\r\0\n"
    with opened(baudrate=115_200) as port:
        heard = []
        device = threading.Thread(target=lambda: heard.append(terminal.hears(len(data))))
        device.start()
        port.write(data)
        device.join()
        equal(heard[0] == data, True)
        device = threading.Thread(target=terminal.says, args=(data,))
        device.start()
        equal(exact(port, len(data)) == data, True)
        device.join()


@checks.case("pyserial: speeds that it sets are those of the port")
def speeds():
    with opened(baudrate=9_600) as port:
        equal(terminal.speed(), 9_600)
        for speed in 300, 57_600, 115_200, 250_000, 3_000_000:
            port.baudrate = speed
            equal(terminal.speed(), speed)
    with opened(baudrate=1_200, bytesize=7, parity="E", stopbits=2, xonxoff=True) as port:
        equal(terminal.speed(), 1_200)
        port.write(b"x")
        equal(terminal.hears(1), b"x")


@checks.case("pyserial: the lines that a pseudo terminal lacks are remembered, and none of the other side's is there")
def lines():
    with opened() as port:
        for value in False, True, False:
            port.rts = value
            port.dtr = value
            port.break_condition = value
        equal((port.cts, port.dsr, port.ri, port.cd), (False,) * 4)
        port.reset_input_buffer()
        port.reset_output_buffer()


@checks.case("pyserial: what the port cannot do is refused, and it stays as it was")
def refused():
    with opened(baudrate=19_200) as port:
        try:
            # With eight data bits there is no such thing.
            port.stopbits = serial.STOPBITS_ONE_POINT_FIVE
            raise RuntimeError("it was not refused")
        except ValueError:
            pass
        equal(terminal.speed(), 19_200)


@checks.case("pyserial: two clients at once, and both hear the device")
def two():
    with opened() as one, opened() as other:
        one.write(b"one\n")
        equal(terminal.hears(4), b"one\n")
        other.write(b"other\xff\n")
        equal(terminal.hears(7), b"other\xff\n")
        terminal.says(b"answer \xff\xff\n")
        for port in one, other:
            equal(exact(port, 10), b"answer \xff\xff\n")
        other.baudrate = 4_800
        equal(terminal.speed(), 4_800)


@checks.case("pyserial: a client that is killed is missed by nobody")
def vanished():
    script = "import serial, sys; serial.serial_for_url(sys.argv[1]).write(b'here'); sys.stdin.read()"
    client = checks.start(
        [sys.executable, "-c", script, f"rfc2217://127.0.0.1:{bridge.port}"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    equal(terminal.hears(4), b"here")
    with opened() as port:
        client.send_signal(signal.SIGKILL)
        client.wait(20)
        terminal.says(b"x" * 10_000)
        equal(exact(port, 10_000), b"x" * 10_000)
    # Nobody's descriptors are left.
    until(lambda: sockets() == 1, "the bridge has a socket for each client it had")


@checks.case("the bridge ends in order with a client connected, who is told")
def interrupt():
    with opened() as port:
        bridge.end()
        try:
            equal(port.read(1), b"")
        except serial.SerialException:
            pass


checks.finish()
