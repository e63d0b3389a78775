# SPDX-License-Identifier: GPL-2.0-only
"""The parts of testbed/run: kernel, initramfs, result disk, machines, console."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache"


class BedError(Exception):
    """The machine can't do its job; the text is one line: what: why (way out)."""
