"""portloop term, driven by keys in a terminal of tmux. usage: terminal.py PORTLOOP FOLDER; see serial_ports.py."""

import os
import subprocess
import sys
import time

import serial

from checks import Checks, pair, equal

portloop, folder = sys.argv[1], sys.argv[2]
checks = Checks()
socket = f"{folder}/tmux"


def tmux(*words):
    return subprocess.run(["tmux", "-S", socket, "-f", "/dev/null", *words], check=True, capture_output=True, text=True).stdout


def screen():
    return tmux("capture-pane", "-p", "-t", "term")


def shows(words):
    """Waits until the screen has the words. A screen tells nobody that it has changed, so it is looked at again and again."""
    deadline = time.monotonic() + 20
    while words not in screen():
        if time.monotonic() > deadline:
            raise RuntimeError(f"the screen has no {words!r}:\n{screen()}")
        checks.pause()


def started(path, *options):
    """The terminal in a shell that says its status afterwards."""
    command = " ".join([portloop, "term", path, *options]) + "; echo status $?; exec cat"
    tmux("new-session", "-d", "-s", "term", "-x", "100", "-y", "30", command)
    shows("Ctrl-] leaves")


def ended():
    tmux("kill-session", "-t", "term")


@checks.case("what is typed goes out, what comes is shown, and Ctrl-] leaves")
def plain():
    ours, theirs = pair(checks, folder, "plain")
    with serial.Serial(theirs, 115200, timeout=20) as port:
        started(ours, "-b", "115200")
        tmux("send-keys", "-t", "term", "-l", "hello")
        tmux("send-keys", "-t", "term", "Enter")
        equal(port.read(6), b"hello\r")
        port.write(b"good day\r\n")
        shows("good day")
        tmux("send-keys", "-t", "term", "C-]")
        shows("status 0")
    ended()


@checks.case("bytes in hexadecimal, a file, the lines that a pseudo terminal lacks, and help")
def commands():
    ours, theirs = pair(checks, folder, "commands")
    with open(f"{folder}/some", "wb") as file:
        file.write(bytes(range(256)) * 40)
    with serial.Serial(theirs, 115200, timeout=20) as port:
        started(ours)
        tmux("send-keys", "-t", "term", "C-t", "h")
        shows("[hexadecimal]")
        port.write(b"\x00\xffA")
        shows("00 ff 41")
        tmux("send-keys", "-t", "term", "C-t", "f")
        tmux("send-keys", "-t", "term", "-l", f"{folder}/some")
        tmux("send-keys", "-t", "term", "Enter")
        equal(port.read(256 * 40), bytes(range(256)) * 40)
        shows("[sent]")
        tmux("send-keys", "-t", "term", "C-t", "f")
        tmux("send-keys", "-t", "term", "-l", "/no/such")
        tmux("send-keys", "-t", "term", "Enter")
        shows("there is no file /no/such")
        tmux("send-keys", "-t", "term", "C-t", "l")
        shows("cannot do this state of the lines")
        tmux("send-keys", "-t", "term", "C-t", "?")
        shows("Ctrl-T and a letter")
        tmux("send-keys", "-t", "term", "C-t", "t")
        equal(port.read(1), b"\x14")
        tmux("send-keys", "-t", "term", "C-]")
        shows("status 0")
    ended()


@checks.case("a device that goes ends it, and it says so")
def unplugged():
    ours, theirs = pair(checks, folder, "unplugged")
    started(ours)
    checks.end_last()
    shows("the device is gone")
    shows("status 1")
    ended()


@checks.case("a device that is not there, and words that make no sense")
def refused():
    equal(subprocess.run([portloop, "term"], capture_output=True).returncode, 2)
    equal(subprocess.run([portloop, "term", "/dev/x", "-b", "fast"], capture_output=True).returncode, 2)
    command = f"{portloop} term {folder}/none; echo status $?; exec cat"
    tmux("new-session", "-d", "-s", "term", "-x", "100", "-y", "30", command)
    shows("there is no port")
    shows("status 1")
    ended()


subprocess.run(["tmux", "-S", socket, "kill-server"], capture_output=True)
checks.finish()
