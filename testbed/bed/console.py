# SPDX-License-Identifier: GPL-2.0-only
"""Reads the serial console of L1: stages, COMMAND's output, faults of its kernel."""

import itertools
import re
import sys
import time

FAULT = re.compile(rb"BUG: |WARNING: |Oops: |rcu.*(?:detected stall|self-detected)|"
                   rb"Kernel panic|general protection fault|blocked for more than|"
                   rb"possible circular locking|KASAN:|UBSAN: |unknown parameter '")
END = re.compile(rb"(.*)@@end (\d+)$")
# KCSAN reports races of all code that it instruments; those that name the ring's are ours.
RACE = re.compile(rb"BUG: KCSAN: ")
RACE_ENDS = re.compile(rb"={60}")
OURS = re.compile(rb"exit_ring|leaf_sum")
LAST_LINES = 25
LOG_BEGINS = b"testbed: init"  # what L1's init says to the kernel log first


def fault_in(line):
    """The line as text if a kernel's fault shows in it, else None."""
    is_fault = FAULT.search(line) and not RACE.search(line)
    return line.decode("utf-8", "replace").strip() if is_fault else None


def is_our_race(lines):
    """Whether a KCSAN report, which begins lines, names code of the exit ring."""
    if not RACE.search(lines[0]):
        return False
    report = itertools.takewhile(lambda line: not RACE_ENDS.search(line), lines)
    return any(OURS.search(line) for line in report)


def fault_in_log(log):
    """The lines of a kernel log from the first fault on, else []; what the kernel says
    of the emulated hardware before init runs (of Bochs' CPU topology in newer kernels) is none."""
    lines = log.partition(LOG_BEGINS)[2].splitlines()
    for number, line in enumerate(lines):
        if fault_in(line) or is_our_race(lines[number:]):
            return [text.decode("utf-8", "replace") for text in lines[number:]]
    return []


class Progress:
    """Stages on stderr as they pass; on a terminal also the present one, alive."""

    def __init__(self, limit, quiet):
        self.start = time.monotonic()
        self.limit = limit
        self.quiet = quiet
        self._live = sys.stderr.isatty() and not quiet
        self._now = "starting"

    def elapsed(self):
        return time.monotonic() - self.start

    def stage(self, text):
        self._now = text
        if not self.quiet:
            self.clear()
            print(f"[{self.elapsed():6.1f} s] {text}", file=sys.stderr, flush=True)

    def tick(self):
        if self._live:
            bar = f"[{self.elapsed():6.1f} s of at most {self.limit:.0f}] after: {self._now}"
            print(f"\r\x1b[K{bar[:78]}", end="", file=sys.stderr, flush=True)

    def clear(self):
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class Console:
    """Follows a growing log file; feed() is to be called often."""

    def __init__(self, path, progress, output):
        self._path = path
        self._progress = progress
        self._output = output
        self._file = None
        self._rest = b""
        self._in_command = False
        self.lines = []  # the last ones, for a report
        self.fault = None
        self.status = None  # COMMAND's
        self.done = False  # the results are on the disk

    def feed(self):
        if self._file is None:
            try:
                self._file = open(self._path, "rb")
            except FileNotFoundError:
                return
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in lines:
            self._line(line.rstrip(b"\r"))

    def _line(self, line):
        self.lines = self.lines[-LAST_LINES:] + [line.decode("utf-8", "replace")]
        if self.fault is None:
            self.fault = fault_in(line)
        end = END.match(line)
        if end and self._in_command:
            self._command_ends(end.group(1), int(end.group(2)))
            return
        word, _, rest = line.decode("utf-8", "replace").partition(" ")
        if word == "@@stage":
            self._progress.stage(rest)
        elif word == "@@begin":
            self._in_command = True
            self._progress.stage("COMMAND begins")
        elif word == "@@fail":
            self.fault = f"L1: {rest}"
        elif word == "@@done":
            self.done = True
        elif self._in_command:
            self._write(line + b"\n")

    def _command_ends(self, text, status):
        """text: what COMMAND wrote after its last newline."""
        self._write(text)
        self._in_command = False
        self.status = status
        self._progress.stage(f"COMMAND ended with status {status}")

    def _write(self, text):
        if text:
            self._progress.clear()
            self._output.write(text)
            self._output.flush()
