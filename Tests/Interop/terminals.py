"""A pseudo terminal whose other end is a program of ours: what it hears and says, and how it is set."""

import fcntl
import os
import pty
import select
import struct
import time


class Terminal:
    def __init__(self):
        self.device, self.slave = pty.openpty()
        self.path = os.ttyname(self.slave)

    def says(self, data):
        while data:
            data = data[os.write(self.device, data):]

    def hears(self, count):
        data = b""
        while len(data) < count:
            if not select.select([self.device], [], [], 20)[0]:
                raise RuntimeError(f"only {data!r} came, of {count} bytes")
            data += os.read(self.device, count - len(data))
        return data

    def speed(self):
        """As the kernel has it: `struct termios2` ends with both speeds."""
        TCGETS2 = 0x802C542A
        return struct.unpack("4IB19B2I", fcntl.ioctl(self.device, TCGETS2, bytes(44)))[-1]

    def hang_up(self):
        os.close(self.slave)
        os.close(self.device)


def until(condition, what):
    """Looks again and again at what tells nobody of its changes."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within 20 s")
        time.sleep(0.01)
