#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes compile_commands.json, for clangd, clang-tidy and editors: how Bazel compiles each file.

Run it again when a BUILD file has changed. Kernel code is not in it: kvm/build makes that.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
NOT_FOR_CLANG = {"-fno-canonical-system-headers"}
QUERY = 'mnemonic("CppCompile", //...)'


class Parser(argparse.ArgumentParser):
    """Refuses an option in the words of all programs here (testbed/bed has the same)."""

    def error(self, message):
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        message = f"{unknown.group(1)}: unknown option" if unknown else message
        self.exit(1, f"{self.prog}: {message} ({self.prog} --help)\n")


def bazel(*words):
    done = subprocess.run(["bazel", *words], cwd=ROOT, text=True, capture_output=True,
                          check=False)
    if done.returncode:
        sys.exit(f"tools/compile_commands.py: bazel {words[0]} failed:\n{done.stderr}")
    return done.stdout


def entries():
    folder = bazel("info", "execution_root").strip()
    actions = json.loads(bazel("aquery", "-c", "opt", "--output=jsonproto", QUERY))["actions"]
    for action in actions:
        words = action["arguments"]
        source = words[words.index("-c") + 1]
        if not source.endswith((".c", ".S")) or source.startswith("external/"):
            continue
        path = ROOT / source
        if not path.exists():
            path = pathlib.Path(folder, source)  # made by the build
        words = [str(path) if word == source else word
                 for word in words if word not in NOT_FOR_CLANG]
        yield {"directory": folder, "arguments": words, "file": str(path)}


def main():
    parser = Parser(prog="tools/compile_commands.py", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    # A library may be compiled twice (a test's configuration): one entry a file.
    found = {entry["file"]: entry for entry in entries()}
    (ROOT / "compile_commands.json").write_text(
        json.dumps([found[name] for name in sorted(found)], indent=1) + "\n")
    print(f"compile_commands.json: {len(found)} files")


if __name__ == "__main__":
    main()
