#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""life_test.py ANALYZER DOT2C DOT FIXTURE RECORDED SVM DATABASE... - verify and the life of an exit

Pieces of recorded boots, each with one thing changed, one vCPU a piece: equation life must find
each change that no exit can have, say where, and accept those that one can. Then each set of
flags: life must accept exactly those for which the automaton has a walk, in any order of events.
"""

import collections
import dataclasses
import importlib.util
import itertools
import json
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

FASTPATH, NESTED, USER, SYNTH, NO_REENTRY, TSC_BACK, HALTED, PREEMPTED, POLLED = (
    0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x4000)
PARTS = {HALTED: "halted_cycles", USER: "userspace_cycles", PREEMPTED: "preempted_cycles",
         POLLED: "polled_cycles"}
FAILED_ENTRY = 0x80000021
ENTRY_FAILS = 1 << 31
PIECES = 12  # per change
ROWS = 9     # per piece
VICTIM = 4   # the row that is changed
SEED = 18


@dataclasses.dataclass
class Piece:
    """Consecutive rows of a vCPU, as {column: value}; and what the vCPU is known to have."""

    rows: list
    ended: int = 0
    vmfail: int = 0
    filtered: int = 0
    lost: list = dataclasses.field(default_factory=list)  # (first seq, n)

    @property
    def victim(self):
        return self.rows[VICTIM]

    def end_before(self):
        """The TSC at which the exit before the victim ended."""
        before = self.rows[VICTIM - 1]
        return before["tsc"] + before["cycles"]

    def renumber(self):
        for number, row in enumerate(self.rows):
            row["seq"] = self.rows[0]["seq"] + number


CHANGES = []  # (name, function, what life says of it or None: it is possible)


def change(says, name=None):
    """says: a pattern of life's explanation; None: a life that is possible"""
    def add(function):
        CHANGES.append((name or function.__name__.replace("_", " "), function, says))
        return function
    return add


def add_part(row, flag, cycles):
    row["flags"] |= flag
    row[PARTS[flag]] = cycles
    if flag != POLLED:
        row["cycles"] += cycles


def without_parts(row):
    """An exit that KVM handled at once."""
    for flag, column in PARTS.items():
        row["flags"] &= ~flag
        row["cycles"] -= row[column] or 0 if flag != POLLED else 0
        row[column] = 0
    row["flags"] &= ~FASTPATH


# What is possible


@change(None)
def nothing(piece):
    pass


@change(None)
def a_fastpath(piece):
    piece.victim["flags"] |= FASTPATH


@change(None, "a fastpath whose KVM_RUN returned")
def fastpath_user(piece):
    add_part(piece.victim, USER, 1)
    piece.victim["flags"] |= FASTPATH
    make_room(piece)


@change(None)
def halted_and_polled(piece):
    add_part(piece.victim, HALTED, 100)
    add_part(piece.victim, POLLED, 40)
    make_room(piece)


@change(None, "all at once")
def everything(piece):
    for flag in PARTS:
        add_part(piece.victim, flag, 100)
    piece.victim["flags"] |= FASTPATH
    make_room(piece)


@change(None)
def a_synthesized_exit(piece):
    make_synthesized(piece)


@change(None)
def a_synthesized_exit_after_a_VMfail(piece):
    make_synthesized(piece)
    piece.vmfail = 1
    piece.rows[VICTIM - 1]["cycles"] -= 1


@change(None)
def a_synthesized_exit_with_a_filter(piece):
    make_synthesized(piece)
    piece.filtered = 1
    piece.rows[VICTIM - 1]["cycles"] -= 1


@change(None)
def a_synthesized_exit_after_a_fastpath(piece):
    make_synthesized(piece)
    piece.rows[VICTIM - 1]["flags"] |= FASTPATH


@change(None)
def a_synthesized_exit_after_a_gap(piece):
    a_record_dropped_with_a_gap(piece)
    make_synthesized(piece)
    piece.victim["tsc"] += 1


@change(None)
def an_entry_that_failed(piece):
    piece.victim["reason"] = FAILED_ENTRY


@change(None)
def a_TSC_that_went_back(piece):
    set_back(piece)


@change(None)
def a_record_dropped_with_a_gap(piece):
    piece.lost.append((piece.victim["seq"], 1))
    del piece.rows[VICTIM]


@change(None, "the last record dropped, of a vCPU that is destroyed")
def last_dropped(piece):
    last = piece.rows.pop()
    piece.ended = 1
    piece.lost.append((last["seq"], 1))


@change(None)
def a_vCPU_destroyed(piece):
    destroy(piece)


@change(None, "a record dropped without a gap")  # the totals have it: records, store, losses
def dropped_without_gap(piece):
    del piece.rows[VICTIM]
    piece.renumber()


@change(None, "another reason")  # the totals have it: reasons, match
def other_reason(piece):
    piece.victim["reason"] = 28


def make_room(piece):
    """What comes after the victim moves away from its end."""
    for row in piece.rows[VICTIM + 1:]:
        row["tsc"] += 1000


def make_synthesized(piece):
    without_parts(piece.victim)
    piece.victim.update(reason=FAILED_ENTRY, tsc=piece.end_before(),
                        flags=piece.victim["flags"] | SYNTH)


def set_back(piece):
    piece.victim["flags"] |= TSC_BACK | USER
    piece.victim.update(dict.fromkeys(PARTS.values(), 0), cycles=0)
    for row in piece.rows[VICTIM + 1:]:
        row["tsc"] -= 10_000_000


def destroy(piece):
    last = piece.rows[-1]
    without_parts(last)
    add_part(last, USER, 100)
    last["flags"] |= NO_REENTRY
    piece.ended = 1


# What is not: the order of records and their times


@change(r"exit IN STATE \w+: SEQ \d+ CAME BEFORE IT")
def two_records_exchanged(piece):
    rows = piece.rows
    rows[VICTIM], rows[VICTIM + 1] = rows[VICTIM + 1], rows[VICTIM]


@change(r"exit IN STATE in_guest: \d+ CYCLES BEFORE THE END", "two records exchanged but for seq")
def exchanged_times(piece):
    two_records_exchanged(piece)
    piece.renumber()


@change(r"exit IN STATE in_guest: SEQ \d+ CAME BEFORE IT")
def a_record_doubled(piece):
    piece.rows.insert(VICTIM, dict(piece.victim))


@change(r"exit IN STATE in_guest: \d+ CYCLES BEFORE THE END", "a record doubled but for seq")
def doubled_and_numbered(piece):
    a_record_doubled(piece)
    piece.renumber()


@change(r"exit IN STATE in_guest: SEQ \d+ CAME BEFORE IT")
def a_seq_again(piece):
    piece.victim["seq"] -= 1


@change(r"exit IN STATE in_guest: 1 CYCLES BEFORE THE END OF THE EXIT BEFORE IT")
def an_exit_inside_another(piece):
    piece.victim["tsc"] = piece.end_before() - 1


@change(r"exit IN STATE in_guest: \d+ CYCLES BEFORE THE END", "an exit inside another, after a gap")
def inside_after_gap(piece):
    piece.lost.append((piece.victim["seq"], 1))
    del piece.rows[VICTIM]
    piece.victim["tsc"] = piece.end_before() - 1


@change(r"exit IN STATE in_guest: 0 CYCLES BEFORE THE END OF THE EXIT BEFORE IT")
def cycles_up_to_the_next_exit(piece):
    after = piece.rows[VICTIM + 1]
    without_parts(piece.victim)
    piece.victim["cycles"] = after["tsc"] - piece.victim["tsc"]


@change(r"synthesize IN STATE handled: 1 CYCLES AFTER THE END OF THE EXIT BEFORE IT")
def a_synthesized_exit_after_the_guest_ran(piece):
    make_synthesized(piece)
    piece.rows[VICTIM - 1]["cycles"] -= 1


@change(r"synthesize IN STATE handled: 1 CYCLES BEFORE THE END OF THE EXIT BEFORE IT")
def a_synthesized_exit_too_early(piece):
    make_synthesized(piece)
    piece.victim["tsc"] -= 1


# ... flags, time, and what they go with


def a_flag_added(flag, event):
    def function(piece):
        without_parts(piece.victim)
        piece.victim["flags"] |= flag

    # Polling is part of being halted, which the automaton has.
    says = "NOT POSSIBLE" if flag == POLLED else "A FLAG WITHOUT CYCLES"
    state = "halted" if flag == POLLED else "handled"
    change(fr"{event} IN STATE (handled|{state}): {says}", f"flag {PARTS[flag]} added")(function)


def a_flag_removed(flag, event):
    def function(piece):
        without_parts(piece.victim)
        if flag == POLLED:
            add_part(piece.victim, HALTED, 100)
        add_part(piece.victim, flag, 100)
        piece.victim["flags"] &= ~flag
        make_room(piece)

    change(fr"{event} IN STATE \w+: 100 CYCLES WITHOUT A FLAG",
           f"flag {PARTS[flag]} removed")(function)


def a_part_lost(flag, event):
    def function(piece):
        without_parts(piece.victim)
        if flag == POLLED:
            add_part(piece.victim, HALTED, 100)
        add_part(piece.victim, flag, 100)
        piece.victim[PARTS[flag]] = 0
        make_room(piece)

    change(fr"{event} IN STATE \w+: A FLAG WITHOUT CYCLES", f"{PARTS[flag]} lost")(function)


for add_changes in (a_flag_added, a_flag_removed, a_part_lost):
    for part, its_event in ((HALTED, "halt"), (USER, "run_end"), (PREEMPTED, "wait"),
                            (POLLED, "poll")):
        add_changes(part, its_event)


@change(r"poll IN STATE handled: NOT POSSIBLE")
def polled_and_not_halted(piece):
    add_part(piece.victim, POLLED, 40)


@change(r"destroy IN STATE handled: NOT POSSIBLE", "NO_REENTRY added")
def end_added(piece):
    without_parts(piece.victim)
    piece.victim["flags"] |= NO_REENTRY


@change(r"entry IN STATE gone: NOT POSSIBLE", "NO_REENTRY added to an exit to user space")
def end_of_user_added(piece):
    without_parts(piece.victim)
    add_part(piece.victim, USER, 100)
    piece.victim["flags"] |= NO_REENTRY
    make_room(piece)


@change(r"entry IN STATE gone: NOT POSSIBLE", "a record of a vCPU that is gone, after a gap")
def after_the_end(piece):
    end_of_user_added(piece)
    del piece.rows[VICTIM + 1]


@change(r"destroy IN STATE handled: NOT RECORDED", "NO_REENTRY removed")
def end_removed(piece):
    destroy(piece)
    piece.rows[-1]["flags"] &= ~NO_REENTRY


@change(r"synthesize IN STATE handled: \d+ CYCLES AFTER THE END", "SYNTH added")
def synth_added(piece):
    piece.victim["flags"] |= SYNTH


@change(r"\w+ IN STATE in_guest: 0 CYCLES BEFORE THE END", "SYNTH removed")
def synth_removed(piece):
    make_synthesized(piece)
    piece.victim["flags"] &= ~SYNTH


@change(r"handle_fast IN STATE synthesized: NOT POSSIBLE")
def a_synthesized_exit_with_a_fastpath(piece):
    make_synthesized(piece)
    piece.victim["flags"] |= FASTPATH


@change(r"handle IN STATE \w+: TSC_BACK WITH \d+ CYCLES", "TSC_BACK added")
def back_added(piece):
    piece.victim["flags"] |= TSC_BACK


@change(r"run_end IN STATE handled: A FLAG WITHOUT CYCLES", "TSC_BACK removed")
def back_removed(piece):
    set_back(piece)
    piece.victim["flags"] &= ~TSC_BACK
    for row in piece.rows[VICTIM + 1:]:
        row["tsc"] += 10_000_000


@change(r"handle IN STATE exited: NO CYCLES WITHOUT TSC_BACK")
def no_time_at_all(piece):
    without_parts(piece.victim)
    piece.victim["cycles"] = 0


@change(r"exit IN STATE in_guest: REASON 33 WITHOUT BIT 31")
def a_failed_entry_without_bit_31(piece):
    piece.victim["reason"] = FAILED_ENTRY & ~ENTRY_FAILS


@change(r"reject IN STATE in_guest: REASON 28 WITH BIT 31")
def another_exit_with_bit_31(piece):
    piece.victim["reason"] = 28 | ENTRY_FAILS


# The database


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
    """What a source other than the ring may not know is not asked of it."""
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
    spec = importlib.util.spec_from_file_location("dot2c", dot2c)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
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

        automaton = module.Automaton(dot.read_text())
        failed = test_changes(database, analyzer)
        failed += test_flags(database, analyzer, automaton)
        failed += test_other_source(database, analyzer)
        failed += test_recordings(analyzer, [recorded, svm, *others])
        failed += test_extremes(pathlib.Path(name) / "extremes.sqlite", fixture, analyzer)
        failed += test_compact(database, analyzer, pathlib.Path(name))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
