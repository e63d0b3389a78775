# SPDX-License-Identifier: GPL-2.0-only
"""The parts of testbed/run: kernel, initramfs, result disk, machines, console."""

import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache"


class BedError(Exception):
    """The machine can't do its job; the text is one line: what: why (way out)."""


class Parser(argparse.ArgumentParser):
    """Errors are one line that names the way out; the exit status is wrong_usage."""

    wrong_usage = 1
    words = ()

    def parse_known_args(self, args=None, namespace=None):
        self.words = sys.argv[1:] if args is None else args
        return super().parse_known_args(args, namespace)

    def _unknown_option(self):
        """The first one: argparse names what is missing before what it doesn't know."""
        for word in self.words:
            name = word.partition("=")[0]
            if word == "--":
                break
            if word.startswith("-") and name.strip("-") and not any(
                    known.startswith(name) for known in self._option_string_actions):
                return word
        return None

    def error(self, message):
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        lacks = re.match(r"the following arguments are required: (.*)", message)
        word = unknown.group(1) if unknown else self._unknown_option() if lacks else None
        if word:
            message = f"{word}: {'unknown option' if word[0] == '-' else 'unexpected word'}"
        elif lacks:
            message = f"{lacks.group(1)}: missing"
        missing = re.match(r"argument (\S+): expected one argument", message)
        if missing:
            message = f"{missing.group(1)}: needs a value"
        empty = re.match(r"argument (\S+): (?:invalid (?:choice|\w+ value): ''|empty)", message)
        if empty:
            message = f"{empty.group(1)}: the value is empty"
        self.exit(self.wrong_usage, f"{self.prog}: {message} ({self.prog} --help)\n")


def not_empty(text):
    """Type of an option whose value can't be an empty text."""
    if not text:
        raise argparse.ArgumentTypeError("empty")
    return text


def built(package, name):
    """A program that Bazel has built."""
    path = ROOT / "bazel-bin" / package / name
    if not path.is_file():
        raise BedError(f"{path}: missing (bazel build -c opt //testbed:programs)")
    return path
