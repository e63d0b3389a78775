# SPDX-License-Identifier: GPL-2.0-only
"""terminal.py - what a program prints on a terminal of 80 columns"""
import fcntl
import os
import pty
import struct
import subprocess
import termios

COLUMNS = 80


def show(*command):
    """What a command prints, as lines."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    # pylint: disable-next=consider-using-with
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs)
    os.close(theirs)
    text = b""
    try:
        while data := os.read(ours, 65536):
            text += data
    except OSError:  # EIO: the other side is closed
        pass
    process.wait()
    os.close(ours)
    return text.decode().replace("\r\n", "\n").splitlines()


def table_lines(lines):
    """Those of tables."""
    return [line for line in lines if "  " in line.strip()]
