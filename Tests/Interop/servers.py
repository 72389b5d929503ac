"""Programs of ours that listen: started, talked to, and ended with Ctrl-C. For the checks of the examples, and for interoperation."""

import select
import signal
import socket
import subprocess


class Server:
    """A program that says "listening on port N" when it does, and "goodbye" when it was ended in order."""

    def __init__(self, *command):
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.port = int(self.said("listening on port ").split()[-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()

    def said(self, start):
        """Waits for the next line of the program, and returns it: it has to begin so."""
        if not select.select([self.child.stdout], [], [], 20)[0]:
            raise RuntimeError(f"the server did not say {start!r}")
        line = self.child.stdout.readline().decode().rstrip()
        if not line.startswith(start):
            raise RuntimeError(f"the server said {line!r}, not {start!r}")
        return line

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def memory(self):
        """Bytes that the program has in memory."""
        with open(f"/proc/{self.child.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))

    def end(self):
        """As with Ctrl-C: it has to say goodbye, and to have succeeded."""
        self.child.send_signal(signal.SIGINT)
        self.said("goodbye")
        if self.child.wait(20) != 0:
            raise RuntimeError(f"the server ended with status {self.child.returncode}")


def everything(client):
    """What comes until the other side has ended."""
    data = b""
    while piece := client.recv(65_536):
        data += piece
    return data
