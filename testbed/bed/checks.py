# SPDX-License-Identifier: GPL-2.0-only
"""What must hold in a recording. Each check raises Wrong, or returns what it saw."""

import re

from .recordings import open_recording

VMX, SVM = 1, 2
U64 = 1 << 64


class Wrong(Exception):
    """The recording is not what it must be."""


def expect(condition, text):
    if not condition:
        raise Wrong(text)


def expect_equal(what, got, expected):
    expect(got == expected, f"{what}: {got}, not {expected}")


class Recording:
    """run.sqlite of one case, through its public views."""

    def __init__(self, path):
        expect(path.is_file(), f"{path.name}: the collector left no database")
        self.db = open_recording(path)

    def all(self, query, *values):
        return self.db.execute(query, values).fetchall()

    def one(self, query, *values):
        return self.db.execute(query, values).fetchone()[0]


def is_sound(recording):
    """SQLite finds no damage and the roll-ups of all that was flushed equal the rows."""
    expect_equal("integrity_check", recording.one("PRAGMA integrity_check"), "ok")
    expect_equal("foreign keys broken", len(recording.all("PRAGMA foreign_key_check")), 0)
    rows = recording.one("SELECT count(*) FROM exits")
    expect_equal("exits in the roll-ups", recording.one("SELECT sum(exits) FROM rollups"), rows)
    expect_equal("recorded by the vCPUs", recording.one("SELECT sum(recorded) FROM coverage"), rows)
    flags_agree(recording)
    return f"{rows} records"


# Of table exit: the flags of kvm/uapi/kvm_exit_ring.h and what each says of other fields.
FLAG_RULES = {
    "user": "(flags & 0x4 = 0) AND (userspace_cycles <> 0 OR coalesce(user_reason, 0) <> 0)",
    "TSC back": "(flags & 0x20) AND cycles <> 0",
    "halted": "(flags & 0x40 <> 0) <> (halted_cycles <> 0)",
    "preempted": "(flags & 0x80 <> 0) <> (preempted_cycles <> 0)",
    "interruption": "(flags & 0x200 <> 0) <> (coalesce(intr_info, 0) & 0x80000000 <> 0)",
    "error code": "(flags & 0x400 = 0) AND coalesce(error_code, 0) <> 0",
    # of the event in intr_info, whose bits 31 and 11 are: valid, with an error code
    "error code of an event": "(flags & 0x400 <> 0) <> "
                              "(coalesce(intr_info, 0) & 0x80000800 = 0x80000800)",
    "key": "(flags & 0x800 = 0) AND (coalesce(key, 0) <> 0 OR coalesce(key_aux, 0) <> 0)",
}


def flags_agree(recording):
    """A flag is set if, and only if, the field that it speaks of has something."""
    for name, broken in FLAG_RULES.items():
        expect_equal(f"records whose flag '{name}' is wrong",
                     recording.one(f"SELECT count(*) FROM exit WHERE {broken}"), 0)


def in_sequence(recording, from_creation=True):
    """Per vCPU: seq rises by 1, or by what the table of losses says, and begins with 0 if
    the vCPU is recorded from its creation on; times don't overlap; the four parts of an
    exit's cycles are sane."""
    gaps = {(row["vcpu_id"], row["vm"], row["first_seq"]): row["n"]
            for row in recording.all("SELECT * FROM losses")}
    last = {}
    for row in recording.all("SELECT vm, vcpu_id, vcpu, seq, tsc, cycles, handler_cycles, "
                             "tsc_back, synthesized FROM exits ORDER BY vcpu, seq"):
        expect(row["handler_cycles"] >= 0, f"seq {row['seq']}: parts exceed the whole")
        before = last.get(row["vcpu"])
        following = before["seq"] + 1 if before else 0 if from_creation else row["seq"]
        lost = gaps.pop((row["vcpu_id"], row["vm"], following), 0)
        expect_equal("seq", row["seq"], following + lost)
        if before:
            # An exit that KVM made up begins where the one before has ended.
            end = before["tsc"] + before["cycles"]
            expect(row["tsc"] >= end if row["synthesized"] else row["tsc"] > end,
                   f"seq {row['seq']}: begins before the exit before it has ended")
        last[row["vcpu"]] = row
    ends = {(row["vcpu_id"], row["vm"], row["seq"] + 1) for row in last.values()}
    recorded = {(row["vcpu_id"], row["vm"]) for row in last.values()}
    wrong = [gap for gap in gaps if gap not in ends and (gap[2] or gap[:2] in recorded)]
    expect(not wrong, f"{len(wrong)} losses where nothing is missing: {wrong[:5]}")
    return f"{len(last)} vCPU"


PARTS = ("recorded", "dropped", "filtered", "unread", "open_exits", "vmfail")


def accounts_for(recording, exits, uncounted=0):
    """exits: {vcpu_id: KVM's statistic} of one VM, or {ALL_VCPUS: their sum}, also of several VMs.
    All of it is recorded or accounted for; uncounted: the most exits that KVM may have left out."""
    rows = recording.all("SELECT * FROM coverage")
    if ALL_VCPUS in exits:
        seen = {ALL_VCPUS: {name: sum(row[name] for row in rows) for name in PARTS}}
    else:
        seen = {row["vcpu_id"]: row for row in rows}
    expect_equal("vCPUs", sorted(seen), sorted(exits))
    missing = 0
    for vcpu, row in seen.items():
        rest = sum(row[name] for name in PARTS) - exits[vcpu]
        who = "all vCPUs" if vcpu == ALL_VCPUS else f"vCPU {vcpu}"
        expect(0 <= rest <= uncounted,
               f"{who}: KVM counts {exits[vcpu]} exits, but " +
               ", ".join(f"{row[name]} {name}" for name in PARTS))
        missing += rest
    return (f"KVM's {sum(exits.values())} exits" +
            (f" and {missing} that it does not count" if missing else ""))


def counts(recording, where, expected):
    """The number of records WHERE where."""
    got = recording.one(f"SELECT count(*) FROM exits WHERE {where}")
    expect(got == expected, f"{got} records of {where}, not {expected}; there are " + ", ".join(
        f"{row[0]} {row[1]}" for row in recording.all(
            "SELECT count(*), reason_name || ' ' || coalesce(key_text, '') FROM exits "
            "GROUP BY 2 ORDER BY 1 DESC LIMIT 6")))
    return f"{got} of {where}"


ALL_VCPUS = -1  # of a VM, where KVM has no statistics of a vCPU
VCPU_LINE = re.compile(r"^(?:exit_loop|refused_entry|vmm stats) vcpu=(\d+) .*?\b(vm_)?exits=(\d+)",
                       re.MULTILINE)


def kvm_exits(text):
    """[(vcpu_id, KVM's statistic `exits`)] as exit_loop and vmm print it; one [(ALL_VCPUS, exits)]
    for each VM where its vCPUs have none of their own."""
    found = VCPU_LINE.findall(text)
    return [(ALL_VCPUS if of_vm else int(vcpu), int(exits)) for vcpu, of_vm, exits in found
            if not of_vm or vcpu == "0"]


LEAF = re.compile(r"0x(4ffffff[c-f]) 0x([0-9a-f]+): eax=0x([0-9a-f]+) ebx=0x([0-9a-f]+) "
                  r"ecx=0x([0-9a-f]+) edx=0x([0-9a-f]+)")


def leaf_readings(text):
    """[(leaf, sub-leaf, eax, ebx, ecx, edx)] as exit_loop and cpuid print them."""
    return [tuple(int(field, 16) for field in match) for match in LEAF.findall(text)]


def _totals_at(recording, reader, reason, part, vms):
    """(exits, sum of the column part) that the guest must see in its CPUID exit `reader`:
    that exit is counted, but its time isn't over yet. The other vCPUs are idle by then:
    of each the last exit so far is open, unless it is destroyed."""
    where = "true" if reason is None else f"basic_reason = {reason}"
    where += " AND vm = :vm" if vms == "own" else ""
    values = {"vm": reader["vm"], "vcpu": reader["vcpu"], "seq": reader["seq"],
              "tsc": reader["tsc"]}

    def value(what, condition):
        return recording.db.execute(f"SELECT {what} FROM exits WHERE {where} AND {condition}",
                                    values).fetchone()[0]
    own = "vcpu = :vcpu AND seq"
    others = "vcpu <> :vcpu AND tsc <= :tsc"
    number = value("count(*)", f"(({own} <= :seq) OR ({others}))")
    cycles = value(f"coalesce(sum({part}), 0)", f"(({own} < :seq) OR ({others} AND "
                   "(vm <> :vm OR NOT no_reentry AND tsc + cycles <= :tsc)))")
    return number, cycles


def _expected_registers(leaf, subleaf, number, cycles, undefined):
    if leaf <= 0x4ffffffd and subleaf in undefined:
        return 0, 0, 0, 0xffffffff
    if leaf in (0x4fffffff, 0x4ffffffd):
        return number & 0xffffffff, number >> 32, 0, 0
    return 0, cycles >> 32, cycles & 0xffffffff, 0


def leaves_agree(recording, isa, text, undefined=(), part="cycles", vms="own"):
    """What the guest read in the leaves equals the records up to that very CPUID exit.

    undefined: reasons of the sub-leaf that the manual doesn't define. part: the column
    that the leaves of time sum up. vms: those counted, "own" or "all" of the recording.
    """

    readings = leaf_readings(text)
    expect(readings, "the guest has printed no leaves")
    expect_equal("dropped records", recording.one("SELECT sum(dropped) FROM coverage"), 0)

    cpuid = 10 if isa == VMX else 0x72
    rows = recording.all("SELECT vm, vcpu, seq, tsc, key, key_aux FROM exits "
                         "WHERE basic_reason = ? AND key BETWEEN 0x4ffffffc AND 0x4fffffff "
                         "ORDER BY tsc", cpuid)

    # cpuid may execute a leaf more often than it prints it: take what it printed, in order.
    expect(len(rows) >= len(readings), f"{len(rows)} leaf exits, {len(readings)} readings")

    position = 0
    for leaf, subleaf, *registers in readings:
        by_reason = leaf <= 0x4ffffffd
        while position < len(rows) and not (rows[position]["key"] == leaf and (
                not by_reason or rows[position]["key_aux"] == subleaf)):
            position += 1
        expect(position < len(rows), f"no CPUID exit of leaf {leaf:#x}, sub-leaf {subleaf:#x}")

        number, cycles = _totals_at(recording, rows[position], subleaf if by_reason else None,
                                    part, vms)
        expect_equal(f"leaf {leaf:#x}, sub-leaf {subleaf:#x}, at seq {rows[position]['seq']}",
                     tuple(registers),
                     _expected_registers(leaf, subleaf, number, cycles, undefined))
        position += 1

    return f"{len(readings)} readings"
