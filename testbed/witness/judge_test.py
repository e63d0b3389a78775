#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The judge finds what is wrong in a recording or in a witness, each kind by its name.

usage: judge_test.py JUDGE SCHEMA.SQL
A small synthetic boot is equal; then one thing at a time is made wrong in it.
"""

import dataclasses
import json
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

HEAD = struct.Struct("<Q6I3Q72x")  # struct witness_file of witness.h
EXIT = struct.Struct("<8Q6I")      # struct witness_exit
MAGIC = 0x5353454E54495731
VMX = 1

NESTED, SYNTH, NO_REENTRY = 0x2, 0x8, 0x10
PREEMPTED, QUAL, INTR, ERROR_CODE, KEY, CR3 = 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000
STAMP, ENTRY = 52, 46  # instructions after the exit, before the entry
REFUSED = 0x80000021

# reason: (qualification, interruption information, error code, key, key_aux, flags)
KINDS = {
    10: (0, 0, 0, 7, 3, KEY),                                  # CPUID, of EAX 7 and ECX 3
    30: (0x3f80038, 0, 0, 0x3f8, 0x71, KEY),                   # REP INSB of port 0x3f8
    48: (0x182, 0, 0, 0xfee00000, 2, KEY),                     # EPT violation, a write
    32: (0, 0, 0, 3, 1, KEY),                                  # WRMSR, of ECX 3
    28: (0x13, 0, 0, 3, 1, KEY),                               # MOV from CR3
    0: (0x5000, 0x80000b0e, 2, 14, 0, KEY | INTR | ERROR_CODE),  # page fault
    1: (0, 0x800000ec, 0, 0xec, 0, KEY | INTR),                # external interrupt
    12: (0, 0, 0, None, None, 0),                              # HLT
}


@dataclasses.dataclass
class Stay:
    """A vCPU's stay in guest mode. how: record, unread, dropped or open."""

    vcpu: int
    vm: int
    reason: int
    start: int
    exit: int
    how: str = "record"

    def exit_bytes(self):
        qualification, event, error = KINDS.get(self.reason, (0, 0, 0))[:3]
        entry = 0 if self.reason == REFUSED else self.start
        return EXIT.pack(entry, self.exit, self.vm, self.exit & 0xfff, qualification, 0x77,
                         0xfee00000, 0x5000, self.reason, event, error, 7, 3, 0)


def schedule():
    """vCPU 1 and 2 by turns; then 2, with a nested guest; then 3, on the pages of 1, and 2."""
    turns = [(1, 0x1000), (2, 0x2000)] * 10
    turns += [(2, 0x2000), (2, 0x2800)] * 4
    turns += [(3, 0x1000), (2, 0x2000)] * 10
    reasons = list(KINDS)
    stays = []
    now = 1_000_000
    for number, (vcpu, vm) in enumerate(turns):
        refused = number == 26
        exit_tsc = now if refused else now + 100
        stays.append(Stay(vcpu, vm, REFUSED if refused else reasons[number // 2 % len(reasons)],
                          now, exit_tsc))
        now = exit_tsc + 5000
    return stays


def of_vcpu(stays, vcpu):
    return [stay for stay in stays if stay.vcpu == vcpu]


def lose(stays):
    """Some exits have no record, but are counted."""
    for stay in of_vcpu(stays, 2)[12:15]:
        stay.how = "dropped"
    for stay in of_vcpu(stays, 3)[:2]:
        stay.how = "unread"
    of_vcpu(stays, 3)[-1].how = "open"
    of_vcpu(stays, 2)[-1].how = "open"


def row(seq, stay, end, others, flags):
    """A row of table exit. others: cycles that other guests ran before the end."""
    no_kind = (0, 0, 0, None, None, 0)
    qualification, event, error, key, key_aux, more = KINDS.get(stay.reason, no_kind)
    flags |= QUAL | CR3 | more
    flags |= (NESTED if stay.vm == 0x2800 else 0) | (PREEMPTED if others else 0)
    tsc = stay.exit + STAMP
    return (stay.vcpu, seq, tsc, stay.reason, flags, end - tsc, 0, 0, others, stay.exit & 0xfff,
            key, key_aux, qualification, 0x77, event, error, 0, 0, 0x5000)


def rows_of(stays, vcpu):
    """The rows of a vCPU; one of vCPU 1's is synthesized."""
    mine = of_vcpu(stays, vcpu)
    seq = 0
    for stay, following in zip(mine, mine[1:] + [None]):
        if stay.how == "record":
            end = following.start - ENTRY if following else stay.exit + 500
            others = sum(other.exit - other.start for other in stays
                         if other.vcpu != vcpu and stay.exit < other.start < end)
            if vcpu == 1 and seq == 4:
                middle = stay.exit + 1000
                yield row(seq, stay, middle, 0, 0)
                seq += 1
                yield (1, seq, middle, REFUSED, QUAL | SYNTH, end - middle, 0, 0, others, 0, None,
                       None, 0, 0, 0, 0, 0, 0, None)
            else:
                yield row(seq, stay, end, others, 0 if following else NO_REENTRY)
        if stay.how in ("record", "dropped"):
            seq += 1


def counts(stays, vcpu):
    return {how: sum(stay.how == how for stay in of_vcpu(stays, vcpu))
            for how in ("dropped", "unread", "open")}


def build_witness(path, stays, late=0):
    exits = [stay.exit_bytes() for stay in stays]
    head = HEAD.pack(MAGIC, 1, EXIT.size, VMX, 1, 1, late, len(exits), 0, 0)
    path.write_bytes(head + b"".join(exits))


def build_database(path, stays, schema):
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(schema.read_text())
    db.executescript(f"""
        INSERT INTO run (id, label, source, state, isa, tsc_khz, tsc_start, tsc_end, started_ns,
                         rollup_cycles, hist_cycles, ept, collector)
            VALUES (1, 'judge_test', 'device', 'complete', 1, 1000000, {stays[0].start - 500},
                    {stays[-1].exit + 2000}, 0, 1000000, 1000000, 'Y', '');
        INSERT INTO vm (id, run_id, kvm_vm_id, tgid) VALUES (1, 1, 1, 1), (2, 1, 2, 2);
    """)
    for vcpu in (1, 2, 3):
        rows = list(rows_of(stays, vcpu))
        lost = counts(stays, vcpu)
        db.execute("INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id, recorded, dropped, unread, "
                   "open_exits, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   (vcpu, 2 if vcpu == 3 else 1, vcpu, vcpu, len(rows), lost["dropped"],
                    lost["unread"], lost["open"], vcpu == 1))
        db.executemany(f"INSERT INTO exit VALUES ({','.join('?' * 19)},{','.join(['NULL'] * 6)})", rows)
    db.commit()
    db.close()


AT = "WHERE vcpu = 2 AND seq = 4"  # a record in the middle: REP INSB

# A vCPU that is gone as a whole, with its VM; the run says how many of its exits are lost.
LOST_VCPU = """
    INSERT INTO crosscheck (run_id, source, name, n)
        SELECT 1, 'ring', 'lost_exits', recorded + dropped + unread + open_exits + {more} -
            (SELECT count(*) FROM exit WHERE vcpu = 3 AND flags & {synthesized})
        FROM vcpu WHERE id = 3;
    DELETE FROM exit WHERE vcpu = 3;
    DELETE FROM vcpu WHERE id = 3;
    DELETE FROM vm WHERE id = 2"""

# What is made wrong in the database: the fault that must be found (others may be, too).
WRONG_DATABASES = {
    f"DELETE FROM exit {AT}": "rows",
    """DELETE FROM exit WHERE vcpu = 1 AND seq = 2;
        UPDATE vcpu SET recorded = recorded - 1 WHERE id = 1""": "count",
    "DELETE FROM exit WHERE vcpu = 1 AND seq = 0": "rows",
    "DELETE FROM exit WHERE vcpu = 2 AND seq = (SELECT max(seq) FROM exit WHERE vcpu = 2)": "rows",
    "DELETE FROM exit": "unknown_vm",
    "DELETE FROM exit WHERE vcpu = 1": "unknown_vm",
    LOST_VCPU.format(synthesized=SYNTH, more=-1): "unknown_vm",
    f"INSERT INTO exit SELECT * FROM exit {AT}": "two_records",
    f"""INSERT INTO exit SELECT vcpu, seq + 100, tsc - 200, reason, flags, 0, 0, 0, 0, rip, key,
        key_aux, qualification, info2, intr_info, error_code, user_reason, pcpu, cr3, NULL, NULL, NULL, NULL, NULL,
        NULL
        FROM exit {AT}""": "two_records",
    f"UPDATE exit SET tsc = tsc - 60 {AT}": "no_exit",
    f"UPDATE exit SET tsc = tsc - 100000 {AT}": "no_exit",
    f"UPDATE exit SET pcpu = 1 {AT}": "no_exit",
    f"UPDATE exit SET pcpu = -1 {AT}": "no_exit",
    "UPDATE exit SET seq = 9 - seq WHERE vcpu = 2 AND seq IN (4, 5)": "order",
    """CREATE TEMP TABLE old AS SELECT 9 - seq AS seq, tsc FROM exit WHERE vcpu = 2;
        UPDATE exit SET tsc = (SELECT tsc FROM old WHERE old.seq = exit.seq)
        WHERE vcpu = 2 AND seq IN (4, 5)""": "rip",
    f"UPDATE exit SET seq = 11 {AT}": "order",
    "UPDATE exit SET seq = seq + 1 WHERE vcpu = 2 AND seq > 4": "missing",
    "UPDATE exit SET seq = seq - 1 WHERE vcpu = 2 AND seq > 14": "missing",
    f"UPDATE exit SET vcpu = 1, seq = 100 {AT}": "vcpu",
    "UPDATE exit SET vcpu = 5 - vcpu WHERE vcpu IN (2, 3) AND seq BETWEEN 18 AND 20": "vcpu",
    f"UPDATE exit SET flags = flags | {NESTED} {AT}": "nested",
    f"UPDATE exit SET flags = flags & ~{NESTED} WHERE vcpu = 2 AND seq = 11": "vcpu",
    "UPDATE vcpu SET dropped = dropped + 1 WHERE id = 2": "count",
    "UPDATE vcpu SET dropped = dropped - 1 WHERE id = 2": "no_entry",
    "UPDATE vcpu SET recorded = recorded + 1 WHERE id = 1": "rows",
    "UPDATE run SET tsc_start = 0, tsc_end = tsc_end - 50000": "no_entry",
    f"UPDATE exit SET reason = 12 {AT}": "reason",
    f"UPDATE exit SET rip = rip + 1 {AT}": "rip",
    f"UPDATE exit SET qualification = qualification + 1 {AT}": "info1",
    f"UPDATE exit SET info2 = info2 + 1 {AT}": "info2",
    f"UPDATE exit SET key = key + 1 {AT}": "key",
    f"UPDATE exit SET key_aux = key_aux + 1 {AT}": "key_aux",
    f"UPDATE exit SET flags = flags & ~{KEY} {AT}": "key",
    f"UPDATE exit SET cr3 = cr3 + 1 {AT}": "cr3",
    "UPDATE exit SET intr_info = intr_info + 1 WHERE reason = 0 AND vcpu = 2": "intr_info",
    f"UPDATE exit SET flags = flags & ~{INTR} WHERE reason = 1 AND vcpu = 2": "intr_info",
    "UPDATE exit SET error_code = 3 WHERE reason = 0 AND vcpu = 2": "error_code",
    f"UPDATE exit SET flags = flags & ~{ERROR_CODE} WHERE reason = 0": "error_code",
    f"UPDATE exit SET reason = 0x21 WHERE reason = {REFUSED} AND NOT flags & {SYNTH}": "reason",
    f"UPDATE exit SET cycles = cycles + 100000000 {AT}": "end",
    f"UPDATE exit SET cycles = cycles + 100 {AT}": "end",
    f"UPDATE exit SET cycles = cycles - 1000 {AT}": "before_entry",
    f"UPDATE exit SET cycles = cycles - 9 {AT}": "before_entry",
    "UPDATE exit SET cycles = cycles + 1 WHERE vcpu = 1 AND seq = 4": "end",
    f"UPDATE exit SET flags = flags & ~{NO_REENTRY} WHERE vcpu = 1": "no_entry",
    f"UPDATE exit SET flags = flags | {NO_REENTRY} {AT}": "no_entry",
    f"UPDATE exit SET tsc = tsc + 1 {AT}": "after_exit",
    "UPDATE exit SET tsc = tsc + 200, cycles = cycles - 200": "after_exit",
    "UPDATE exit SET cycles = cycles - 200": "before_entry",
    "UPDATE exit SET preempted_cycles = 0 WHERE vcpu = 1 AND seq = 0": "handler",
}

# Recorded by BPF: stamped at tracepoints, so farther away, and not always as far.
BY_BPF = f"""UPDATE run SET source = 'bpf';
    UPDATE exit SET tsc = tsc + 300 + vcpu * 7, cycles = cycles - 700 - vcpu * 7
        WHERE NOT flags & {SYNTH} AND NOT (vcpu = 1 AND seq = 4)"""
WRONG_BY_BPF = {
    f"DELETE FROM exit {AT}": "rows",
    f"UPDATE exit SET rip = rip + 1 {AT}": "rip",
    f"UPDATE exit SET tsc = tsc - 100000 {AT}": "no_exit",
    f"UPDATE exit SET cycles = cycles + 1000 {AT}": "end",
    f"UPDATE exit SET tsc = tsc + 2000, cycles = cycles - 2000 {AT}": "after_exit",
    f"UPDATE exit SET cycles = cycles - 2000 {AT}": "before_entry",
}


def without_exit(data, stays):
    place = HEAD.size + EXIT.size * 9
    return HEAD.pack(MAGIC, 1, EXIT.size, VMX, 1, 1, 0, len(stays) - 1, 0, 0) + \
        data[HEAD.size:place] + data[place + EXIT.size:]


def with_exit(data, stays):
    more = Stay(9, 0x9000, 10, stays[9].exit + 1000, stays[9].exit + 1100).exit_bytes()
    place = HEAD.size + EXIT.size * 10
    return HEAD.pack(MAGIC, 1, EXIT.size, VMX, 1, 1, 0, len(stays) + 1, 0, 0) + \
        data[HEAD.size:place] + more + data[place:]


def with_head(lost=0, unpaired=0):
    return lambda data, stays: HEAD.pack(MAGIC, 1, EXIT.size, VMX, 1, 1, 0, len(stays), lost,
                                         unpaired) + data[HEAD.size:]


def swapped(data, _):
    place = HEAD.size + EXIT.size * 9
    return data[:place] + data[place + EXIT.size:place + 2 * EXIT.size] + \
        data[place:place + EXIT.size] + data[place + 2 * EXIT.size:]


# What is made wrong in the witness's file: the fault that must be found.
WRONG_WITNESSES = {
    "an exit of the CPU left out": (without_exit, "two_records"),
    "an exit of the CPU too many": (with_exit, "unknown_vm"),
    "an exit that did not fit in": (with_head(lost=1), "lost"),
    "an exit without its entry": (with_head(unpaired=1), "unpaired"),
    "two exits in the wrong order": (swapped, "backwards"),
}

# Files that must be refused: no verdict at all.
REFUSED_WITNESSES = {
    "empty": b"",
    "a head alone, that promises exits": HEAD.pack(MAGIC, 1, EXIT.size, VMX, 1, 1, 0, 9, 0, 0),
    "of another version": HEAD.pack(MAGIC, 2, EXIT.size, VMX, 1, 1, 0, 0, 0, 0),
    "of no CPU": HEAD.pack(MAGIC, 1, EXIT.size, 3, 1, 1, 0, 0, 0, 0),
    "with more exits than can be": HEAD.pack(MAGIC, 1, EXIT.size, VMX, 1, 1, 0, 1 << 60, 0, 0),
    "with an exit on CPU 16": HEAD.pack(MAGIC, 1, EXIT.size, VMX, 1, 1, 0, 1, 0, 0) +
                              EXIT.pack(*[0] * 13, 16),
    "no witness": b"SQLite format 3\0" * 20,
}


# A TSC that may be 32 instructions late: so much later, and no more, a stamp may be.
LATE = f"UPDATE exit SET tsc = tsc + 32, cycles = cycles - 32 {AT}"
TOO_LATE = f"UPDATE exit SET tsc = tsc + 33, cycles = cycles - 33 {AT}"


class Failed(Exception):
    """The judge does not find what it must."""


def judge(program, witness, database, *options):
    """(status, {word of a fault: how often})"""
    result = subprocess.run([program, "--json", *options, witness, database], capture_output=True,
                            text=True, check=False)
    if result.returncode not in (0, 1):
        return result.returncode, {}
    found = json.loads(result.stdout)["databases"][0]["faults"]
    return result.returncode, {fault["fault"]: fault["n"] for fault in found}


def change(database, copy, statement):
    """A copy in which @statement has changed something."""
    shutil.copy(database, copy)
    with sqlite3.connect(copy) as db:
        db.execute("PRAGMA synchronous = OFF")
        before = db.total_changes
        db.executescript(statement)
        if db.total_changes == before:
            raise Failed(f"changes nothing: {statement}")
    db.close()


def check_accounted(program, witness, database):
    """Each exit of the CPU belongs to a vCPU, or is counted."""
    result = subprocess.run([program, "--json", witness, database], capture_output=True, text=True,
                            check=False)
    found = json.loads(result.stdout)
    if found["accounted"] != found["exits"]:
        raise Failed(f"{found['accounted']} exits of {found['exits']} accounted for")


def check_reasons(program, witness, database):
    """The distances of each reason are those of the rows."""
    result = subprocess.run([program, "--json", witness, database], capture_output=True, text=True,
                            check=False)
    reasons = json.loads(result.stdout)["databases"][0]["reasons"]
    with sqlite3.connect(database) as db:
        rows = db.execute(f"SELECT reason, count(*) FROM exit WHERE NOT flags & {SYNTH} "
                          "GROUP BY reason").fetchall()
    db.close()
    if {one["reason"]: one["n"] for one in reasons} != dict(rows):
        raise Failed(f"reasons: {reasons}, not {rows}")
    low, high = STAMP, STAMP + 300 + 3 * 7
    for one in reasons:
        least, most = one["after_exit"]
        if not low <= least <= one["after_exit_mean"] <= most <= high:
            raise Failed(f"distances of {one}")


def must_find(program, what, witness, database, fault):
    status, found = judge(program, witness, database)
    if status != 1 or fault not in found:
        raise Failed(f"{what}: must be found as '{fault}', status {status}, found {found}")


def check_late(program, directory, stays, database):
    witness, other = directory / "late.bin", directory / "late.sqlite"
    build_witness(witness, stays, late=32)
    change(database, other, LATE)
    status, found = judge(program, witness, other)
    if status or found:
        raise Failed(f"a TSC that is late: status {status}, {found}")
    change(database, other, TOO_LATE)
    must_find(program, TOO_LATE, witness, other, "after_exit")


def run(program, schema, directory):
    """Returns what was shown, or raises Failed."""
    directory = pathlib.Path(directory)
    stays = schedule()
    lose(stays)
    witness, database = directory / "witness.bin", directory / "judge.sqlite"
    build_witness(witness, stays)
    build_database(database, stays, pathlib.Path(schema))

    status, found = judge(program, witness, database)
    if status or found:
        raise Failed(f"nothing is wrong, but: status {status}, {found}")
    check_accounted(program, witness, database)
    check_late(program, directory, stays, database)

    by_bpf = directory / "bpf.sqlite"
    change(database, by_bpf, BY_BPF)
    status, found = judge(program, witness, by_bpf)
    if status or found:
        raise Failed(f"nothing is wrong by BPF, but: status {status}, {found}")
    check_reasons(program, witness, by_bpf)

    lost = directory / "lost.sqlite"
    change(database, lost, LOST_VCPU.format(synthesized=SYNTH, more=0))
    status, found = judge(program, witness, lost)
    if status or found:
        raise Failed(f"all exits of a vCPU lost and counted, but: status {status}, {found}")
    check_accounted(program, witness, lost)

    running = directory / "running.sqlite"
    change(by_bpf, running, "UPDATE vcpu SET unread = 0")
    status, found = judge(program, witness, running, "--others")
    if status or found:
        raise Failed(f"a vCPU that ran before BPF came: status {status}, {found}")

    wrong = directory / "wrong.sqlite"
    for right, statements in ((database, WRONG_DATABASES), (by_bpf, WRONG_BY_BPF)):
        for statement, fault in statements.items():
            change(right, wrong, statement)
            must_find(program, " ".join(statement.split()), witness, wrong, fault)

    wrong = directory / "wrong.bin"
    for what, (change_of, fault) in WRONG_WITNESSES.items():
        wrong.write_bytes(change_of(witness.read_bytes(), stays))
        must_find(program, what, wrong, database, fault)

    for what, data in REFUSED_WITNESSES.items():
        wrong.write_bytes(data)
        status, _ = judge(program, wrong, database)
        if status != 2:
            raise Failed(f"a witness that is {what}: status {status}, not 2")
    faults = 1 + len(WRONG_DATABASES) + len(WRONG_BY_BPF) + len(WRONG_WITNESSES)
    return f"{faults} faults found by the judge of the CPU's exits"


def main():
    with tempfile.TemporaryDirectory() as directory:
        try:
            print(run(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], directory))
        except Failed as failed:
            print(f"judge_test: {failed}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
