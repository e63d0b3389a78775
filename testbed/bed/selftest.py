# SPDX-License-Identifier: GPL-2.0-only
"""Shows that each check fails on a recording that has the very fault that it is for."""

import pathlib
import shutil
import sqlite3
import subprocess

from witness import judge_test  # the folder testbed/witness

from . import ROOT, built, checks, console, fault_cases
from .checks import VMX, Wrong, expect

LOG = ("leaf 0x4fffffff 0x00: eax=0x00000003 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
       "leaf 0x4ffffffd 0x0a: eax=0x00000003 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
       "leaf 0x4ffffffc 0x1e: eax=0x00000000 ebx=0x00000000 ecx=0x0000003c edx=0x00000000\n")

# A run of one vCPU: seq, reason, key, key_aux; 100 cycles between two, 30 (user space: 10) each.
TSC_KHZ = 1000000
EXITS = [(0, 30, 0x10, 1), (1, 10, 1, 5), (2, 10, 0x4fffffff, 0), (3, 10, 0x4ffffffd, 10),
         (4, 30, 0x10, 1), (5, 10, 0x4ffffffc, 30)]


def build(path):
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    for name in ("schema.sql", "exit_reason.sql"):
        db.executescript((ROOT / "sql" / name).read_text())
    macros = [ROOT / "sql/kvm_requests.sql", ROOT / "sql/views.sql.in"]
    views = sorted((ROOT / "sql/views").iterdir())
    expand = ["awk", "-f", ROOT / "sql/expand.awk", *macros, *views]
    db.executescript(subprocess.run(expand, check=True, stdout=subprocess.PIPE, text=True).stdout)
    db.executescript("""
        INSERT INTO run (id, label, source, state, isa, tsc_khz, tsc_start, started_ns,
                         rollup_cycles, hist_cycles, collector)
            VALUES (1, 'selftest', 'device', 'complete', 1, 1000000, 0, 0, 1000000, 1000000, '');
        INSERT INTO vm (id, run_id, kvm_vm_id, tgid) VALUES (1, 1, 1, 1);
        INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id, recorded, vmfail) VALUES (1, 1, 0, 1, 6, 0);
        INSERT INTO exit_rollup VALUES (1, 0, 30, 2, 60, 0, 20, 0, 30, 30, 0, 0, 0, 0, 100, 500, NULL),
                                       (1, 0, 10, 4, 120, 0, 40, 0, 30, 30, 0, 0, 0, 0, 200, 600, NULL);
    """)
    for seq, reason, key, key_aux in EXITS:
        db.execute("INSERT INTO exit (vcpu, seq, tsc, reason, flags, cycles, halted_cycles, "
                   "userspace_cycles, preempted_cycles, rip, key, key_aux, qualification, info2, "
                   "intr_info, error_code, user_reason, pcpu) "
                   "VALUES (1, ?, ?, ?, 0x804, 30, 0, 10, 0, 4096, ?, ?, 0, 0, 0, 0, 0, 0)",
                   (seq, 100 + 100 * seq, reason, key, key_aux))
    db.commit()
    return db


def lost_before_kill(recording):
    """A collector that was killed at TSC 700, at most 100 cycles after the last record's end."""
    kill = fault_cases.Kill(start=0, sent=690, ended=700)
    run = fault_cases.runs_of(recording)[0]
    cycles = fault_cases.lost_ms(recording, kill, run) * TSC_KHZ
    expect(cycles <= 100, f"{cycles} cycles are lost")


CHECKS = {
    "is_sound": checks.is_sound,
    "in_sequence": checks.in_sequence,
    "accounts_for": lambda recording: checks.accounts_for(recording, {0: 6}),
    "accounts_for_vm": lambda recording: checks.accounts_for(recording, {checks.ALL_VCPUS: 6}),
    "accounts_for_most": lambda recording: checks.accounts_for(recording, {0: 4}, uncounted=2),
    "counts": lambda recording: checks.counts(recording, "basic_reason = 30 AND key = 0x10", 2),
    "leaves_agree": lambda recording: checks.leaves_agree(recording, VMX, LOG),
    "nothing_twice": fault_cases.nothing_twice,
    "lost_before_kill": lost_before_kill,
}

# The vCPU in a second run, which has the exits from there on.
SECOND_RUN = """
    INSERT INTO run (id, label, source, isa, tsc_khz, tsc_start, started_ns, rollup_cycles,
                     hist_cycles, collector)
        VALUES (2, 'next', 'device', 1, 1000000, 0, 0, 1000000, 1000000, '');
    INSERT INTO vm (id, run_id, kvm_vm_id, tgid) VALUES (2, 2, 1, 1);
    INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id) VALUES (2, 2, 0, 1);
"""

# What is broken -> the checks that must see it (others may, too).
BROKEN = {
    "DELETE FROM exit WHERE seq = 4": ["is_sound", "in_sequence", "counts"],
    "UPDATE exit_rollup SET n = n + 1 WHERE reason = 10": ["is_sound"],
    "UPDATE vcpu SET recorded = 7": ["is_sound", "accounts_for"],
    "UPDATE vcpu SET vm_id = 9": ["is_sound"],
    "UPDATE exit SET seq = 7 WHERE seq = 5": ["in_sequence"],
    "UPDATE exit SET tsc = tsc - 75 WHERE seq = 3": ["in_sequence"],
    "UPDATE exit SET cycles = 100 WHERE seq = 3": ["in_sequence"],
    "UPDATE exit SET userspace_cycles = 31 WHERE seq = 3": ["in_sequence"],
    "INSERT INTO loss VALUES (1, 2, 5, NULL, NULL)": ["in_sequence"],
    "UPDATE vcpu SET unread = 1": ["accounts_for", "accounts_for_vm", "accounts_for_most"],
    "UPDATE vcpu SET recorded = 3": ["accounts_for", "accounts_for_vm", "accounts_for_most"],
    "UPDATE vcpu SET vcpu_id = 1": ["accounts_for"],
    "INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id, recorded) VALUES (2, 1, 0, 2, 6)":
        ["accounts_for_vm"],
    "UPDATE exit SET key = 0x11 WHERE seq = 4": ["counts"],
    "UPDATE exit SET reason = 10 WHERE seq = 0": ["counts", "leaves_agree"],
    "UPDATE exit SET cycles = 31 WHERE seq = 4": ["leaves_agree"],
    "UPDATE exit SET key = 0x4ffffffe WHERE seq = 2": ["leaves_agree"],
    "UPDATE exit SET seq = seq + 1": ["in_sequence"],
    "INSERT INTO loss VALUES (1, 9, 1, NULL, NULL)": ["in_sequence"],
    "UPDATE exit SET flags = 0x800 WHERE seq = 3": ["is_sound"],
    "UPDATE exit SET flags = 0x824 WHERE seq = 3": ["is_sound"],
    "UPDATE exit SET flags = 0x844 WHERE seq = 3": ["is_sound"],
    "UPDATE exit SET preempted_cycles = 1 WHERE seq = 3": ["is_sound"],
    "UPDATE exit SET flags = 0xa04 WHERE seq = 3": ["is_sound"],
    "UPDATE exit SET error_code = 2 WHERE seq = 3": ["is_sound"],
    "UPDATE exit SET flags = 0xc04 WHERE seq = 3": ["is_sound"],
    "UPDATE exit SET flags = 0xa04, intr_info = 0x80000b0d WHERE seq = 3": ["is_sound"],
    "UPDATE exit SET flags = 0x4 WHERE seq = 3": ["is_sound"],
    "UPDATE vcpu SET dropped = 1": ["leaves_agree", "accounts_for"],
    "UPDATE exit SET tsc = 500 WHERE seq = 5": ["nothing_twice"],
    SECOND_RUN + "UPDATE exit SET vcpu = 2 WHERE seq = 2": ["nothing_twice"],
    SECOND_RUN + "UPDATE exit SET vcpu = 2, tsc = 10 WHERE seq = 5": ["nothing_twice"],
    "DELETE FROM exit WHERE seq = 5": ["lost_before_kill"],
    "UPDATE exit SET tsc = 750 WHERE seq = 5": ["lost_before_kill"],
}


# What a kernel's log says, and whether it is a fault.
RACE = """\
==================================================================
BUG: KCSAN: data-race in {} / {}
read to 0xffff888005a3c040 of 8 bytes by task 98 on cpu 1:
 {}+0x5c/0xd0 [kvm]
==================================================================
"""
LOGS = {
    "kvm: exit_ring: nothing of note": False,
    "WARNING: possible circular locking dependency detected": True,
    "BUG: KASAN: use-after-free in exit_ring_put+0x1a/0x40": True,
    "UBSAN: shift-out-of-bounds in arch/x86/kvm/exit_ring.c:1:2": True,
    RACE.format("kvm_mmu_zap", "kvm_vcpu_kick", "kvm_mmu_zap"): False,
    RACE.format("exit_ring_sum", "svm_vcpu_run", "exit_ring_sum"): True,
    # The second report is ours, the first one is not.
    RACE.format("a", "b", "a") + RACE.format("c", "d", "exit_ring_open_slow"): True,
    RACE.format("a", "b", "a") + "kvm: exit_ring: nothing of note": False,
}


def check_logs():
    for text, is_fault in LOGS.items():
        found = console.fault_in_log(console.LOG_BEGINS + b"\n" + text.encode())
        expect(bool(found) == is_fault, f"wrongly judged: {text}")
    return len(LOGS)


def holds(path, name):
    recording = checks.Recording(path)
    try:
        CHECKS[name](recording)
    except Wrong:
        return False
    finally:
        recording.db.close()
    return True


def run(directory):
    """Returns what was shown; raises Wrong."""
    shown = 0
    good = pathlib.Path(directory, "good.sqlite")
    build(good).close()
    for name in CHECKS:
        expect(holds(good, name), f"{name} fails on a good recording")
    for number, (statement, names) in enumerate(BROKEN.items()):
        path = shutil.copy(good, pathlib.Path(directory, f"broken-{number}.sqlite"))
        db = sqlite3.connect(path)
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(statement)
        db.commit()
        db.close()
        for name in names:
            expect(not holds(path, name), f"{name} does not see: {statement}")
            shown += 1
    try:
        judged = judge_test.run(built("testbed/witness", "judge"), ROOT / "sql" / "schema.sql",
                                directory)
    except judge_test.Failed as failed:
        raise Wrong(str(failed)) from failed
    return f"{shown} wrong recordings seen; {judged}; {check_logs()} kernel logs judged"
