# SPDX-License-Identifier: GPL-2.0-only
"""one_in.py - a part of what a test does with thousands of programs

A start under AddressSanitizer takes five times as long. `./check` sets EXITSCOPE_ONE_IN=4 there, and
./check --full does not; without it a test does all that it has.
"""
import itertools
import os

ONE_IN = int(os.environ.get("EXITSCOPE_ONE_IN", 1))

_turns = itertools.count()


def some(items):
    """Each ONE_IN-th item, counted over all calls: the same list gives others the next time."""
    return [item for item in items if next(_turns) % ONE_IN == 0]
