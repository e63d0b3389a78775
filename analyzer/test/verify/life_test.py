#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""life_test.py ANALYZER DOT2C DOT FIXTURE RECORDED SVM DATABASE... - verify and the life of an exit

Pieces of recorded boots, each with one thing changed, one vCPU a piece: equation life must find
each change that no exit can have, say where, and accept those that one can. Then each set of
flags: life must accept exactly those for which the automaton has a walk, in any order of events.
"""

import collections
import importlib
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from life_changes import (  # noqa: E402 pylint: disable=wrong-import-position
    CHANGES, FAILED_ENTRY, FASTPATH, HALTED, NESTED, NO_REENTRY, PARTS, POLLED, PREEMPTED, Piece,
    ROWS, SYNTH, USER)

PIECES = 12  # per change
SEED = 18


class Database:
    """A copy of the fixture, with a run whose vCPUs are pieces of others."""

    def __init__(self, path, fixture):
        shutil.copyfile(fixture, path)
        path.chmod(0o600)
        self.path = path
        self.db = sqlite3.connect(path)
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.execute("DELETE FROM exit")
        self.vcpus = self.db.execute("SELECT max(id) FROM vcpu").fetchone()[0]
        self.vms = self.db.execute("SELECT max(id) FROM vm").fetchone()[0]
        self.names = {}  # {(label, vcpu_id): name of the piece}

    def insert(self, table, row):
        self.db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES "
                        f"({', '.join('?' * len(row))})", list(row.values()))

    def add_run(self, label, source, isa=1, features=0xff):
        self.insert("run", {"label": label, "source": source, "state": "complete", "isa": isa,
                            "tsc_khz": 1000000, "tsc_start": 0, "tsc_end": 1 << 44,
                            "started_ns": 0, "rollup_cycles": 10 ** 8,
                            "hist_cycles": 10 ** 8,
                            "has_raw": 1, "has_split": 1, "collector": "test",
                            "features": features})
        run = self.db.execute("SELECT max(id) FROM run").fetchone()[0]
        self.vms += 1
        self.insert("vm", {"id": self.vms, "run_id": run, "kvm_vm_id": self.vms, "tgid": 1})

    def add_piece(self, label, name, piece):
        self.vcpus += 1
        self.insert("vcpu", {"id": self.vcpus, "vm_id": self.vms, "vcpu_id": self.vcpus,
                             "ring_id": self.vcpus, "ended": piece.ended,
                             "vmfail": piece.vmfail, "filtered": piece.filtered})
        for row in piece.rows:
            polled = row["polled_cycles"] or None  # as the collector stores 0
            self.insert("exit", {**row, "vcpu": self.vcpus, "polled_cycles": polled})
        for first, n in piece.lost:
            self.insert("loss", {"vcpu": self.vcpus, "first_seq": first, "n": n})
        self.names[label, self.vcpus] = name

    def found(self, analyzer, label, path=None):
        """{name: [explanation, "" where all records follow]} of the run's pieces"""
        self.db.commit()
        found = collections.defaultdict(list)
        for vcpu, why in life(analyzer, path or self.path, label):
            found[self.names[label, vcpu]].append(why)
        return found


def life(analyzer, path, run):
    """(vcpu_id, explanation) of each vCPU of a run"""
    result = subprocess.run([analyzer, "--db", path, "verify", "--run", run, "--all",
                             "--format", "json"], text=True, capture_output=True, check=False)
    if not result.stdout:
        sys.exit(f"FAILED: {result.stderr}")
    for check in json.loads(result.stdout)["checks"]:
        if check["equation"] == "life":
            assert bool(check["unexplained"]) == bool(check["why"]), check
            yield check["vcpu"], check["why"]


def read_rows(path, label):
    """The first rows of a run, which all have an entry after them."""
    db = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    db.row_factory = sqlite3.Row
    return [dict(row) for row in db.execute(
        "SELECT e.* FROM exit e JOIN vcpu c ON c.id = e.vcpu JOIN vm m ON m.id = c.vm_id "
        "JOIN run r ON r.id = m.run_id WHERE r.label = ? ORDER BY e.rowid LIMIT 5000", [label])]


def windows(rows, number):
    """Pieces of a recording: ROWS consecutive rows each."""
    for _ in range(number):
        start = random.randrange(len(rows) - ROWS)
        yield Piece([dict(row) for row in rows[start:start + ROWS]])


def plain(seq, tsc, flags=0, **columns):
    """A row of 1000 cycles."""
    row = {"seq": seq, "tsc": tsc, "reason": 28, "flags": flags, "cycles": 1000,
           **dict.fromkeys(("halted_cycles", "userspace_cycles", "preempted_cycles", "rip",
                            "qualification", "info2", "intr_info", "error_code", "user_reason",
                            "pcpu"), 0), "polled_cycles": None}
    return {**row, **columns}


def piece_of_flags(flags):
    """An exit with these flags and their times between two others; the last one if it is an end."""
    middle = plain(1, 2000 if flags & SYNTH else 5000, flags,
                   reason=FAILED_ENTRY if flags & SYNTH else 28)
    for flag, column in PARTS.items():
        middle[column] = 100 if flags & flag else 0
    if flags & NO_REENTRY:
        return Piece([plain(0, 1000), middle], ended=1)
    return Piece([plain(0, 1000), middle, plain(2, 9000)])


# The tests


def walks(automaton):
    """All sets of flags that a walk from an exit to an entry, or to the end, can leave."""
    flag_of = {"handle_fast": FASTPATH, "halt": HALTED, "poll": POLLED, "wait": PREEMPTED,
               "run_end": USER, "destroy": NO_REENTRY}
    todo = [("exited", 0), ("synthesized", SYNTH)]
    seen = set(todo)
    while todo:
        state, flags = todo.pop()
        for (start, event), end in automaton.edges.items():
            step = (end, flags | flag_of.get(event, 0))
            if start == state and event not in ("entry", "synthesize") and step not in seen:
                seen.add(step)
                todo.append(step)
    return {flags for state, flags in seen
            if state in automaton.finals or (state, "entry") in automaton.edges}


def test_changes(database, analyzer):
    failed = 0
    found = {label: database.found(analyzer, label) for label in ("intel", "amd")}
    for (name, _, says), label in itertools.product(CHANGES, found):
        texts = found[label][name]
        if label == "amd" and says and "REASON" in says:
            says = None  # of Intel's exit reasons
        wrong = [text for text in texts if (not re.search(f"^FIRST AT SEQ \\d+: EVENT {says}", text)
                                            if says else text)]
        if wrong or len(texts) != PIECES:
            failed += 1
            print(f"FAILED: {label}: {name}: {len(texts)} pieces, expected {says}: {wrong[:2]}")
    print(f"{len(CHANGES)} changes of {PIECES} pieces, "
          f"{sum(1 for _, _, says in CHANGES if says)} of them impossible: {failed} failed")
    return failed


def test_flags(database, analyzer, automaton):
    found = database.found(analyzer, "flags")
    possible = walks(automaton)
    wrong = [hex(flags) for flags, texts in found.items()
             if (texts == [""]) != (flags & ~NESTED in possible)]
    print(f"{len(found)} sets of flags, {len(possible)} of them possible: wrong {wrong}")
    return len(wrong) + (len(found) != 256) + (not 20 < len(possible) < 200)


def test_other_source(database, analyzer):
    """What a source other than the ring may not record is not checked."""
    failed = sum(texts != [""] for texts in database.found(analyzer, "bpf").values())
    print(f"records of another source: {failed} failed")
    return failed


def add_other_source(database):
    database.add_run("bpf", "bpf", features=0)
    for name, rows in {
        "an end without user space": [plain(0, 1000), plain(1, 3000, NO_REENTRY)],
        "user space without time": [plain(0, 1000, USER), plain(1, 3000)],
        "stamps that are equal": [plain(0, 1000), plain(1, 2000)],
        "no durations": [plain(0, 1000, cycles=0), plain(1, 1000, cycles=0)],
        "no bit 31": [plain(0, 1000, reason=33)],
    }.items():
        database.add_piece("bpf", name, Piece(rows, ended=1))


def test_extremes(path, fixture, analyzer):
    """Numbers that no record has: verify ends as it does with any other (see --config=ubsan)."""
    database = Database(path, fixture)
    database.add_run("extremes", "device")
    most = (1 << 63) - 1
    for column in ("seq", "tsc", "reason", "flags", "cycles", *PARTS.values()):
        for number in (-most - 1, -1, most):
            rows = [plain(0, 1000), plain(1, 9000), plain(2, 19000)]
            rows[1][column] = number
            database.add_piece("extremes", (column, number), Piece(rows))
    found = database.found(analyzer, "extremes")
    print(f"{len(found)} extreme values")
    return len(found) != 27


def test_compact(database, analyzer, work):
    """Chunks say the same as rows."""
    compact = work / "compact.sqlite"
    subprocess.run([analyzer, "compact", database.path, compact], check=True,
                   stdout=subprocess.DEVNULL)
    differ = [label for label in ("intel", "amd", "flags", "bpf")
              if database.found(analyzer, label) != database.found(analyzer, label, compact)]
    print(f"compact: differ {differ}")
    return len(differ)


def test_recordings(analyzer, paths):
    """No recording is against the automaton."""
    failed = runs = 0
    for path in paths:
        db = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
        for run, kept in db.execute("SELECT id, has_raw FROM run").fetchall():
            found = list(life(analyzer, path, str(run)))
            runs += 1
            if bool(found) != bool(kept) or any(why for _, why in found):
                failed += 1
                print(f"FAILED: {path}: run {run}: {found}")
    print(f"{runs} recordings: {failed} failed")
    return failed + (runs < 5)


def main():
    analyzer, dot2c, dot, fixture, recorded, svm, *others = (
        pathlib.Path(a).resolve() for a in sys.argv[1:])
    sys.path.insert(0, str(dot2c.parent))
    random.seed(SEED)
    print(f"seed {SEED}")

    with tempfile.TemporaryDirectory() as name:
        database = Database(pathlib.Path(name) / "life.sqlite", fixture)
        for label, isa, path, run in (("intel", 1, recorded, "ept"), ("amd", 2, svm, "svm")):
            database.add_run(label, "device", isa)
            rows = read_rows(path, run)
            for text, function, _ in CHANGES:
                for piece in windows(rows, PIECES):
                    function(piece)
                    database.add_piece(label, text, piece)
        database.add_run("flags", "device")
        for bits in itertools.product(*((0, flag) for flag in (
                FASTPATH, USER, SYNTH, NO_REENTRY, HALTED, PREEMPTED, POLLED, NESTED))):
            database.add_piece("flags", sum(bits), piece_of_flags(sum(bits)))
        add_other_source(database)

        automaton = importlib.import_module("dot2c").Automaton(dot.read_text())
        failed = test_changes(database, analyzer)
        failed += test_flags(database, analyzer, automaton)
        failed += test_other_source(database, analyzer)
        failed += test_recordings(analyzer, [recorded, svm, *others])
        failed += test_extremes(pathlib.Path(name) / "extremes.sqlite", fixture, analyzer)
        failed += test_compact(database, analyzer, pathlib.Path(name))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
