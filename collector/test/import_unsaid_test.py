#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_unsaid_test.py COLLECTOR ANALYZER: what a text does not say, and what the user is told then

The texts are made up, in the forms of these programs, and right by construction.
"""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from import_run import Run, expect, refused, run_tests, says, silent
from texts import PLAIN, ftrace_text, us, write


def test_output_of_other_tools():
    """Counts, or events in a form that is not read: what it is, and what to record instead."""
    perf_stat = " Performance counter stats for 'system wide':\n\n     1,234      kvm:kvm_exit\n\n       1.0 seconds time elapsed\n"
    for what, text in (
            ("perf trace", "     0.000 CPU 0/KVM/1000 kvm:kvm_exit(exit_reason: 12, guest_rip: 18446744071579, isa: 1, info1: 0, vcpu_id: 0)\n" * 9),
            ("perf kvm stat report", "\n\nAnalyze events for all VMs, all VCPUs:\n\n   VM-EXIT    Samples  Samples%\n\n   HLT   789   39.00%\n"),
            ("perf stat", perf_stat), ("perf", "# Samples: 1K of event 'kvm:kvm_exit'\n# Event count (approx.): 1234\n"),
            ("kvmexit", "PID      TID      KVM_EXIT_REASON                     COUNT\n1273551  1273568  EXIT_REASON_HLT    12\n"),
            ("kvm_stat", "kvm statistics - summary\n\n Event                 Total %Total CurAvg/s\n kvm_exit               1234   50.0      617\n"),
            ("bpftrace", "Attaching 1 probe...\n^C\n\n@[12]: 345\n@[32]: 1200\n"), ("bpftrace", "@exits[CPU 0/KVM, 12]: 345\n"),
            ("ftrace", "# event histogram\n#\n# trigger info: hist:keys=exit_reason:vals=hitcount\n#\n\n{ exit_reason:         12 } hitcount:        345\n"),
            ("perf data convert", '{\n\t"linux-perf-json-version": 1,\n\t"samples": [\n\t\t{\n\t\t\t"tid": 1000, "exit_reason": "12"\n\t\t}]}\n'),
            ("LTTng", "[12:34:56.789012345] (+0.000001234) host kvm_x86_exit: { cpu_id = 1 }, { exit_reason = 12, guest_rip = 0x1000 }\n")):
        for before in ("", "a line before\n" * 100000):
            write(before + text)
            refused(what, "x.txt", f" of {what}")
            refused(what, "x.txt", "import ")
    write("@[12]: 345\nAnalyze events for all VMs\n" + PLAIN)
    expect("words of others before a recording", Run("x.txt").counts(), (30, 0, 0))
    write("no recording @[12] of anything\n")
    silent("no recording", Run("x.txt"), "bpftrace")


def test_whole_us():
    """An exit of 400 ns is one of 0 or 1 us then: the note says so, where there are durations."""
    words = "times are whole us: durations are +-1 us"
    for what, text in (("us", PLAIN), ("ms", PLAIN.replace("00: kvm", ": kvm")),
                       ("latency-format", re.sub(r" 12\.0+(\d+): ", r" \1us : ", PLAIN))):
        write(text)
        says(what, Run("x.txt"), words)
    for what, text in (("ns", re.sub(r"(\.\d{6}): ", r"\g<1>000: ", PLAIN)), ("cycles", re.sub(r" 12\.(\d{6}): ", r" 1\1: ", PLAIN)),
                       ("exits alone", "".join(l for l in PLAIN.splitlines(True) if "kvm_entry" not in l))):
        write(text)
        run = Run("x.txt")
        expect(f"{what} ({run.words})", run.counts(), (30, 0, 0))
        silent(what, run, words)


def test_no_cpus():
    """perf script without -F cpu: 0 in column pcpu is not CPU 0."""
    for what, head in (("name and thread", "CPU 0/KVM   100 "), ("process and thread", "CPU 0/KVM  90/100 ")):
        write(ftrace_text(30, head, us))
        says(what, Run("x.txt"), "it has no CPUs: column pcpu is 0, which stands for unknown")
    write(PLAIN)
    silent("with CPUs", Run("x.txt"), "it has no CPUs")


def test_process_for_thread():
    """perf script -F pid: a key never goes to another vCPU; exits that do not name theirs have no durations."""
    def text(number, old=False, moves=False):
        events = []
        for vcpu in (0, 1):
            for i in range(50):
                ns = 10**9 + i * 10**6 + vcpu * 20000
                cpu = 4 * (i // 10 % 2) + vcpu if moves else vcpu
                exit_ = f"reason MSR_READ rip 0x1000 " + ("info 0 0" if old else "info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0")
                for after, event in ((0, "kvm_exit: " + ("" if old else f"vcpu {vcpu} ") + exit_),
                                     (30000, f"kvm_msr: msr_read {0x100 + vcpu:x} = 0x0"), (100000, f"kvm_entry: vcpu {vcpu}, rip 0x1002")):
                    events.append((ns + after, f"qemu-system-x86   {number(vcpu)} [{cpu:03d}] {(ns + after) / 1e9:.6f}: kvm:{event}\n"))
        return "".join(l for _, l in sorted(events))

    keys = "SELECT v.vcpu_id, key_text, count(*) FROM exits JOIN vcpu v ON v.id = exits.vcpu GROUP BY 1, 2"
    words = "the number before the CPU is the process"
    for moves in (False, True):
        write(text(lambda vcpu: 990, moves=moves))
        run = Run("x.txt")
        expect(f"process ({run.words})", run.shape() + run.counts(), (1, 2, 100, 0, 0))
        expect("process: keys", run.db.execute(keys).fetchall(), [(0, None, 50), (1, None, 50)])
        expect("process: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"), (100000, 100000))
        expect("process: its number", run.one("SELECT tgid FROM vm"), 990)
        says("process", run, words)

        write(text(lambda vcpu: 990, old=True, moves=moves))
        run = Run("x.txt")
        expect(f"process, old ({run.words})", run.shape() + run.counts(), (1, 2, 100, 0, 0))
        expect("process, old: durations and keys", run.one("SELECT sum(cycles), count(key_text) FROM exits"), (None, 0))
        says("process, old", run, "no durations: " + words)

        for old in (False, True):
            write(text(lambda vcpu: 1000 + vcpu, old=old, moves=moves))
            run = Run("x.txt")
            expect(f"threads ({run.words})", run.shape() + run.counts(), (1, 2, 100, 0, 0))
            expect("threads: keys", run.db.execute(keys).fetchall(), [(0, "MSR 0x100", 50), (1, "MSR 0x101", 50)])
            silent("threads", run, words)


run_tests(globals())
