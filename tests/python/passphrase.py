"""Runs a command on a terminal of its own, waits for its question, does something, and tells how it left the terminal.

usage: passphrase.py DEED COMMAND...   where DEED is type:TEXT, or the name of a signal
"""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def main(deed, command):
    ours, theirs = pty.openpty()

    def own_terminal():
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=own_terminal)
    said = b""

    def hear(until):
        nonlocal said
        while not until():
            ready, _, _ = select.select([ours], [], [], 0.05)
            if ready:
                said += os.read(ours, 4096)

    # It asks once the terminal is silent, or right before that.
    hear(lambda: b"Passphrase of" in said and not echoes(theirs) or child.poll() is not None)
    silent = not echoes(theirs)
    if child.poll() is None:
        if deed.startswith("type:"):
            os.write(ours, deed.removeprefix("type:").encode() + b"\n")
        elif deed == "SIGINT":
            # As a person does it.
            os.write(ours, b"\x03")
        else:
            os.kill(child.pid, getattr(signal, deed))
    hear(lambda: child.poll() is not None)
    hear(lambda: not select.select([ours], [], [], 0.05)[0])
    told = {"silent": silent, "echoes": echoes(theirs), "exit": child.returncode, "said": said.decode(errors="replace")}
    print(json.dumps(told))


main(sys.argv[1], sys.argv[2:])
