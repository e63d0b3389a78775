#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""steps_test.py ANALYZER DOT FIXTURE - verify and the steps of the tracepoints

A vCPU for each set of counts that a cross-check can store (table crosscheck, source tracefs_step):
equation steps must accept what an exit can have, and find each that it can't. Then each event in
each state of the automaton, against all walks.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from life_test import Database  # noqa: E402 pylint: disable=wrong-import-position

SOUND = {"exit in_guest": 4, "entry handled": 4}

# Name: (steps, vmfail of the vCPU, how many are not explained, what the explanation says)
CASES = {
    "sound": (SOUND, 0, 0, ""),
    "an exit without an entry before it": (
        {"exit in_guest": 3, "exit handled": 1, "entry handled": 3}, 0, 1,
        "1 TIMES EVENT AND STATE exit handled: NOT POSSIBLE"),
    "an entry after an entry": ({**SOUND, "entry in_guest": 1}, 0, 1, "entry in_guest"),
    "the same after VMfail": (
        {**SOUND, "entry in_guest": 1}, 1, 0, "1 VM entries that failed with VMfail"),
    "more of them than VMfails": (
        {**SOUND, "entry in_guest": 3}, 2, 1, "2 VM entries that failed with VMfail, 1 TIMES"),
    "both, so that their number is right": (
        {"exit in_guest": 3, "exit handled": 1, "entry handled": 3, "entry in_guest": 1}, 0, 2,
        "exit handled"),
    "entered again by a fastpath": (
        {**SOUND, "exit fastpath": 3}, 0, 0, "3 entered again by a fastpath, not traced"),
    "no event of the automaton": ({**SOUND, "snooze in_guest": 1}, 0, 1, "snooze"),
    "no state of the automaton": ({**SOUND, "exit in_bed": 2}, 0, 2, "in_bed"),
    "one word": ({"exit": 1}, 0, 1, "exit"),
    "a long name": ({"exit " + "x" * 10000: 1}, 0, 1, "xxx"),
    "fewer than none": ({**SOUND, "exit handled": -1}, 0, -1, "NOT POSSIBLE"),
}


def automaton(path):
    """{(state, event): next state}"""
    edges = re.findall(r'^\s*"(\w+)" -> "(\w+)" \[ label = "([^"]*)" \];', path.read_text(),
                       re.MULTILINE)
    return {(state, event): following for state, following, events in edges
            for event in events.split("\\n")}


def walks(steps, state, event, rare=()):
    """Whether a walk from the state leads to the event, on which no other tracepoint is. rare:
    the (state, event) that are passed by without one in addition."""
    seen, to_do = set(), [state]
    while to_do:
        state = to_do.pop()
        if (state, event) in steps:
            return True
        seen.add(state)
        to_do += [following for (start, name), following in steps.items()
                  if start == state and following not in seen and
                  (name not in ("exit", "reject", "entry", "fail") or (start, name) in rare)]
    return False


def every_pair(steps):
    """CASES of each tracepoint in each state."""
    cases = {}
    for state in sorted({state for state, _ in steps} | set(steps.values())):
        for event in ("exit", "entry"):
            if walks(steps, state, event):
                wrong, text = 0, ""
            elif walks(steps, state, event, [("in_guest", "fail")]):
                wrong, text = 1, "NOT POSSIBLE"  # no VM entry has failed
            elif walks(steps, state, event, [("fastpath", "entry")]):
                wrong, text = 0, "fastpath"
            else:
                wrong, text = 1, "NOT POSSIBLE"
            cases[f"{event} in {state}"] = ({f"{event} {state}": 1}, 0, wrong, text)
    assert 0 < sum(wrong for _, _, wrong, _ in cases.values()) < len(cases)
    return cases


class Steps(Database):
    """A run with a vCPU for each case."""

    def add_case(self, steps, vmfail, ambiguous=0):
        self.vcpus += 1
        self.insert("vcpu", {"id": self.vcpus, "vm_id": self.vms, "vcpu_id": self.vcpus,
                             "ring_id": self.vcpus, "vmfail": vmfail})
        run = self.db.execute("SELECT max(id) FROM run").fetchone()[0]
        for name, n in steps.items():
            self.insert("crosscheck", {"run_id": run, "vcpu": self.vcpus, "source": "tracefs_step",
                                       "name": name, "n": n})
        if ambiguous:
            self.insert("crosscheck", {"run_id": run, "source": "tracefs_ambiguous",
                                       "name": "events", "n": ambiguous})
        return self.vcpus


def verify(analyzer, path, run):
    """({vcpu_id: check of equation steps}, exit status)"""
    result = subprocess.run([analyzer, "--db", path, "verify", "--run", run, "--all",
                             "--format", "json"], text=True, capture_output=True, check=False)
    if not result.stdout:
        sys.exit(f"FAILED: {result.stderr}")
    checks = json.loads(result.stdout)["checks"]
    return {check["vcpu"]: check for check in checks if check["equation"] == "steps"}


def judge(name, case, check):
    steps, _, wrong, text = case
    left = sum(steps.values())
    if (check["left"], check["unexplained"]) != (left, wrong) or text not in check["why"]:
        return f"{name}: {check}, not {wrong} of {left} with '{text}'"
    if not text and check["why"]:
        return f"{name}: {check['why']}"
    return None


def main():
    analyzer, dot, fixture = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    cases = {**CASES, **every_pair(automaton(dot))}
    with tempfile.TemporaryDirectory() as directory:
        database = Steps(pathlib.Path(directory, "run.sqlite"), fixture)
        database.add_run("steps", "device")
        vcpus = {name: database.add_case(*case[:2]) for name, case in cases.items()}
        database.add_run("ambiguous", "device")
        several = database.add_case({**SOUND, "exit handled": 3}, 0, ambiguous=2)
        database.add_run("no cross-check", "device")
        database.add_case({}, 0)
        database.db.commit()

        found = verify(analyzer, database.path, "steps")
        failed = [judge(name, case, found[vcpus[name]]) for name, case in cases.items()]
        check = verify(analyzer, database.path, "ambiguous")[several]
        failed.append(judge("VMs that can't be distinguished", (
            {**SOUND, "exit handled": 3}, 0, 1, "2 of VMs that can't be distinguished"), check))
        if verify(analyzer, database.path, "no cross-check"):
            failed.append("a run without a cross-check has steps")
    failed = list(filter(None, failed))
    print("\n".join(f"FAILED: {text}" for text in failed) or f"{len(cases) + 2} cases")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
