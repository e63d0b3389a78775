#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""width_test.py ANALYZER DATABASE: tables fit a terminal of 80 columns."""
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import unittest

ANALYZER, DATABASE = (os.path.abspath(p) for p in sys.argv[1:3])
COLUMNS = 80
COMMANDS = ["top-exits", "top-exits --by vcpu", "latency", "compare ept shadow", "compare ept shadow --total",
            "sequences", "verify", "vmx-caps", "timeline", "timeline --table phases", "timeline --table reasons",
            "slowest", "live --plain --count 1"]


def show(command):
    """What a command prints on a terminal, as lines."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    run = [] if command.startswith("compare") else ["--run", "1"]
    # pylint: disable-next=consider-using-with
    process = subprocess.Popen([ANALYZER, "--db", DATABASE, *command.split(), *run], stdin=theirs, stdout=theirs)
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


class WidthTest(unittest.TestCase):
    def test_tables_fit(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                # A note is a sentence: the terminal wraps it.
                table = [line for line in show(command) if "  " in line.strip()]
                self.assertGreater(len(table), 1)
                self.assertEqual([line for line in table if len(line) > COLUMNS], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
