"""What the programs of this folder share: cases that are counted, children that end with the program, pairs of pseudo terminals."""

import atexit
import os
import shutil
import subprocess
import sys
import time


class Checks:
    """Cases that say "pass", "FAIL" or "skip" with their name, and are counted in the last line."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.children = []
        atexit.register(self.end_all)

    def case(self, name, needs=None):
        """A case; `needs` is a program without which it is skipped."""
        def run(case):
            if needs and not shutil.which(needs):
                self.skipped += 1
                return print(f"skip  {name}: there is no {needs}", flush=True)
            try:
                case()
                self.passed += 1
                print(f"pass  {name}", flush=True)
            except Exception as error:
                self.failed += 1
                print(f"FAIL  {name}: {error}", flush=True)
        return run

    def start(self, command, **options):
        child = subprocess.Popen(command, **options)
        self.children.append(child)
        return child

    def end_last(self):
        self.end(self.children[-1])

    def end(self, child):
        if child.poll() is None:
            child.kill()
        child.wait()

    def end_all(self):
        for child in self.children:
            self.end(child)

    def hold(self, path):
        """Keeps a terminal open until the program ends."""
        os.open(path, os.O_RDWR | os.O_NOCTTY)

    def pause(self):
        """Before something is looked at again that tells nobody of its changes."""
        time.sleep(0.02)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else ""))
        sys.exit(1 if self.failed else 0)


def pair(checks, folder, name):
    """Two pseudo terminals that socat connects: ours, theirs."""
    ours, theirs = f"{folder}/{name}-ours", f"{folder}/{name}-theirs"
    checks.start(["socat", f"pty,raw,echo=0,link={ours}", f"pty,raw,echo=0,link={theirs}"])
    appear(checks, ours, theirs)
    # socat ends when one side is closed by everybody, and what the other side has yet to read goes with it.
    for path in ours, theirs:
        checks.hold(path)
    return ours, theirs


def terminal_of(checks, folder, name, command, cwd):
    """A pseudo terminal whose other side is a command's input and output. The command starts when the terminal is opened."""
    ours = f"{folder}/{name}-ours"
    checks.start(["socat", "-t", "20", f"pty,raw,echo=0,wait-slave,link={ours}", f"EXEC:{command},pipes"], cwd=cwd)
    appear(checks, ours)
    return ours


def appear(checks, *paths):
    deadline = time.monotonic() + 10
    while not all(os.path.exists(path) for path in paths):
        if time.monotonic() > deadline:
            raise RuntimeError("socat made no terminal")
        checks.pause()


def equal(found, expected):
    if found != expected:
        raise RuntimeError(f"found {found!r}, expected {expected!r}")
