#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Looks for packages that need each other, tests and fuzzers left out.

Asks Bazel. Prints the dependencies that make a cycle, or how many packages there are.
"""

import argparse
import collections
import graphlib
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ET

sys.dont_write_bytecode = True

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "testbed"))

from bed import Parser  # noqa: E402


def is_code(rule):
    testonly = any(flag.get("name") == "testonly" and flag.get("value") == "true"
                   for flag in rule.findall("boolean"))
    return not (testonly or rule.get("class").endswith("_test") or rule.get("name").startswith("//fuzz"))


def needs():
    """{package: {package that it needs: [(target, target)]}}"""
    text = subprocess.run(["bazel", "query", "//...", "--output=xml", "--noimplicit_deps"],
                          cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for rule in filter(is_code, ET.fromstring(text).iter("rule")):
        package = rule.get("name").split(":")[0]
        for other in (one.get("name") for one in rule.findall("rule-input")):
            if other.startswith("//") and other.split(":")[0] != package:
                found[package][other.split(":")[0]].append((rule.get("name"), other))
    return found


def main():
    Parser(prog="tools/cycles.py", description=__doc__,
           epilog="exit status: 0 if there is no cycle",
           formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    graph = needs()
    try:
        graphlib.TopologicalSorter({name: set(others) for name, others in graph.items()}).prepare()
    except graphlib.CycleError as error:
        cycle = error.args[1]  # each is needed by the one after it
        for other, package in zip(cycle, cycle[1:]):
            for pair in graph[package][other]:
                print(" needs ".join(pair))
        print(f"a cycle of {len(cycle) - 1} packages")
        return 1
    print(f"{len(graph)} packages need others, no cycle")
    return 0


if __name__ == "__main__":
    sys.exit(main())
