#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_lost_test.py COLLECTOR ANALYZER: what recordings say of the events that they lost

Each recording is made up (recordings.py), and right by construction.
"""
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from import_run import Run, expect, possible, refused, run_tests, says, silent
from recordings import Dat, Perf, entry_event, exit_event, pages, pairs

REASONS = {10: "CPUID", 48: "EPT_VIOLATION", 52: "PREEMPTION_TIMER"}
EXIT = "kvm_exit: vcpu {} reason {} rip 0x1 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0\n"
ENTRY = "kvm_entry: vcpu {}, rip 0x1\n"


def text_line(event):
    ts, cpu, tid, name, fields = event
    form = EXIT if name == "kvm_exit" else ENTRY
    return (f"       CPU 0/KVM-{tid}     [{cpu:03d}] d..2. {ts // 10**9:5d}.{ts // 1000 % 10**6:06d}: "
            + form.format(fields["vcpu_id"], REASONS.get(fields.get("exit_reason"))))


def write(text):
    with open("x.txt", "w") as out:
        out.write(text)


def imported(recording, write_as="write"):
    getattr(recording, write_as)("x")
    return Run("x")


# Buffers that kept the newest events

def moving(count=200):
    """Exits of 10 us, one each ms; in every fifth one the vCPU goes to the other of two CPUs."""
    events, cpu = [], 0
    for i in range(count):
        ts = 12 * 10**9 + i * 10**6
        events.append(exit_event(ts, 1001, 0, 48, cpu=cpu))
        cpu ^= i % 5 == 4
        events.append(entry_event(ts + 10000, 1001, 0, cpu=cpu))
    return events


def begun_late(events, at=3 / 4):
    """What is left after CPU 1 has lost all of its events before that part of the time."""
    begin = 12 * 10**9 + int(len(events) / 2 * at) * 10**6
    return [e for e in events if e[1] == 0 or e[0] >= begin]


def head(present, written):
    return f"# tracer: nop\n#\n# entries-in-buffer/entries-written: {present}/{written}   #P:2\n#\n"


def started(events):
    """With ftrace's line before the first event of CPU 1."""
    lines = [text_line(e) for e in events]
    lines.insert([e[1] for e in events].index(1), "##### CPU 1 buffer started ####\n")
    return "".join(lines)


def no_longer_than(what, run, ns, exits):
    """Not one exit is longer than it was, and each is recorded or dropped."""
    longest, recorded = run.one("SELECT max(cycles), count(*) FROM exit") or (None, 0)
    expect(f"{what} ({run.words}): longest of {recorded}", longest is not None and 0 < longest <= ns, True)
    expect(f"{what}: exits", recorded + run.counts()[1], exits)
    possible(what, run)


def test_overwritten_text():
    events = moving()
    left = begun_late(events)
    both = head(len(left), len(events)) + started(left)
    for what, text in (("ftrace", both), ("without the lines", head(len(left), len(events)) + "".join(map(text_line, left)))):
        write(text)
        run = Run("x.txt")
        no_longer_than(what, run, 10000, 200)
        silent(what, run, "~")
    write(started(left))
    run = Run("x.txt")
    no_longer_than("without the header", run, 10000, sum(e[3] == "kvm_exit" for e in left))
    says("without the header: how many is not known", run, "~")
    write(head(400, 400) + "".join(map(text_line, events)))
    expect("nothing overwritten", Run("x.txt").counts(), (200, 0, 0))


def test_loss_that_is_told_late():
    """The line, or the first event of the CPU, stands more than 65,536 lines after what was lost."""
    events = moving(60000)
    left = begun_late(events)
    write(head(len(left), len(events)) + started(left))
    no_longer_than("overwritten", Run("x.txt"), 10000, 60000)

    # Another thread goes on with the vCPU: the exit of the first one, on CPU 1, was lost. So may be
    # the entry after the exit that it ended with.
    def stretch(begin, tid, cpu, count):
        events = [entry_event(begin, tid, 0, cpu)]
        for ts in range(begin + 10000, begin + 10000 * count, 10000):
            events += [exit_event(ts, tid, 0, 48, cpu), entry_event(ts + 1000, tid, 0, cpu)]
        return "".join(map(text_line, events)), exit_event(events[-1][0] + 2000, tid, 0, 48, cpu)

    one, _ = stretch(10**9, 1001, 1, 10)
    other, end = stretch(2 * 10**9, 1002, 0, 80000)
    again, _ = stretch(3 * 10**9, 1001, 1, 10)
    write(one + other + text_line(end) + "CPU:1 [LOST 1 EVENTS]\n" + again)
    run = Run("x.txt")
    expect(f"a vCPU that moved ({run.words})", run.shape() + run.counts(), (1, 1, 80017, 2, 0))


def test_lost_at_the_end():
    """No event of the CPU follows the line: what was lost lasts until the end."""
    events = moving()
    end = 12 * 10**9 + 150 * 10**6
    left = [e for e in events if e[1] == 0 or e[0] < end]
    lines = [text_line(e) for e in left]
    lines.insert(max(i for i, e in enumerate(left) if e[1] == 1) + 1, f"CPU:1 [LOST {len(events) - len(left)} EVENTS]\n")
    write("".join(lines))
    no_longer_than("lost at the end", Run("x.txt"), 10000, 200)


def test_overwritten_dat():
    """The statistics say that a CPU lost events, and no page of it does."""
    events = moving()
    for at in (3 / 4, 0):
        left = begun_late(events, at) if at else [e for e in events if e[1] == 0 or e[0] < 12 * 10**9 + 50 * 10**6]
        d = Dat([("", "local", {cpu: pages([e for e in left if e[1] == cpu]) for cpu in (0, 1)})])
        d.stats(0, cpus=(0,))
        d.stats(len(events) - len(left), cpus=(1,))
        for form in ("write", "write_v6", "write_compressed"):
            no_longer_than(f"{form}, {at}", imported(d, form), 10000, 200)


class Overwriting(Perf):
    """perf record --overwrite"""

    def attr(self, name):
        attr = bytearray(super().attr(name))
        struct.pack_into("<Q", attr, 40, struct.unpack_from("<Q", attr, 40)[0] | 1 << 27)
        return bytes(attr)


def test_overwritten_perf():
    p, left = Overwriting(), begun_late(moving())
    p.samples(left)
    run = imported(p)
    no_longer_than("perf record --overwrite", run, 10000, sum(e[3] == "kvm_exit" for e in left))
    says("perf record --overwrite", run, "--overwrite")
    says("perf record --overwrite", run, "~")


# Nothing is left

def nothing(what, run, *words):
    """Not one vCPU, and what is known of it."""
    expect(f"{what} ({run.words})", run.shape(), (0, 0))
    for each in words:
        says(what, run, each)


def test_throttled_perf():
    """The kernel stops kvm_exit, kvm_entry or both for a while: no exit of that time, and no word of completeness."""
    def put(p, kind, ts, name, cpu=0):
        p.record(kind, struct.pack("<QQQ", ts, p.id(name), p.id(name)) + p.sample_id(ts, cpu, 0, name))

    events = pairs(40)
    for what, names, kept in (("both", ("kvm_exit", "kvm_entry"), ()), ("kvm_exit", ("kvm_exit",), ("kvm_entry",)),
                              ("kvm_entry", ("kvm_entry",), ("kvm_exit",))):
        for back in (True, False):  # a time on the CPU, or until the end
            p = Perf()
            p.samples([e for e in events if e[0] <= 10000])
            for name in names:
                put(p, 5, 10001, name)
            p.samples([e for e in events if 10000 < e[0] and (e[0] < 30000 or not back) and e[3] in kept])
            for name in names if back else ():
                put(p, 6, 29999, name)
            p.samples([e for e in events if e[0] >= 30000 and back])
            p.write("x.data")
            run = Run("x.data")
            says(f"{what} {back}", run, "~")
            expect(f"{what} {back}: longest ({run.words})", run.one("SELECT max(cycles) FROM exit"), 300)

    p = Perf(recorded=("kvm_exit", "kvm_entry", "other"))
    p.samples([e for e in events if e[0] <= 10000])
    put(p, 5, 10001, "other")
    p.samples([e for e in events if e[0] > 10000])
    p.write("x.data")
    run = Run("x.data")
    expect(f"another event ({run.words})", run.counts(), (40, 0, 0))
    silent("another event", run, "~")


def test_all_lost():
    others = [(1000 + 100 * i, 0, 100, "other", {}) for i in range(20)]
    p = Perf()
    p.lost_samples("kvm_exit", 500)
    run = imported(p)
    nothing("perf says of which event", run, "all 500 kvm_exit were lost", "500 dropped (coverage 0 %), no VM seen")
    expect("perf says of which event", run.one("SELECT exits, dropped, unseen, coverage FROM runs"), (0, 500, 500, 0.0))
    p = Perf()
    p.lost(1000, 5000)
    nothing("perf", imported(p), "1000 events were lost: whether a VM ran is not known", "0 records, no VM seen")
    for count, words in ((500, "500 events were lost: whether"), (None, "events were lost: whether")):
        nothing("trace.dat", imported(Dat([("", "local", {0: pages(others, {0: count})})])), words, "no VM seen")
    nothing("trace.dat, nothing lost", imported(Dat([("", "local", {0: pages(others)})])),
            "no VM ran, or it was not recorded (trace-cmd record", "no VM seen")
    p = Perf(recorded=("kvm_exit", "kvm_entry", "other"))  # that it was recorded is certain
    p.samples(others)
    run = imported(p)
    nothing("perf, nothing lost", run, "0 records, no VM ran")
    expect("perf, nothing lost: one line", run.words.count("\n"), 1)


def test_entries_alone():
    """Without one kvm_exit nothing can be said, whatever the file is."""
    entries = [entry_event(1000 * i, 1001, 0) for i in range(1, 20)]
    p = Perf()
    p.samples(entries)
    p.write("x.data")
    refused("perf.data", "x.data", "no kvm_exit was recorded")
    Dat([("", "local", {0: pages(entries)})]).write("x.dat")
    refused("trace.dat", "x.dat", "x.dat: no kvm_exit was recorded, only kvm_entry (trace-cmd record")
    write("".join(map(text_line, entries)))
    refused("text", "x.txt", "x.txt: no kvm_exit was recorded, only kvm_entry (print kvm_exit and kvm_entry)")

    # They may have been lost.
    Dat([("", "local", {0: pages(entries, {9: 40})})]).write("x.dat")
    expect("lost", (Run("x.dat").shape() or ())[1:], (1,))


# VM entries that are not traced

def test_untraced_entries():
    """Linux 5.10 re-enters the guest from some exits without kvm_entry: they are there, without durations."""
    for count in (5, 20):
        events = [entry_event(500, 1001, 0)]
        for i in range(count):
            ts = 10000 * (i + 1)
            events += [exit_event(ts, 1001, 0, 52), exit_event(ts + 2000, 1001, 0, 48), entry_event(ts + 3000, 1001, 0)]
        p = Perf()
        p.samples(events)
        write("".join(map(text_line, events)))
        for what, run in (("perf.data", imported(p)), ("trace.dat", imported(Dat([("", "local", {0: pages(events)})]))),
                          ("text", Run("x.txt"))):
            expect(f"{what} ({run.words})", run.counts(), (count, count, 0))
            expect(f"{what}: durations", run.one("SELECT min(cycles), max(cycles), min(reason) FROM exit"), (1000, 1000, 48))
            says(what, run, f"{count} kvm_exit are followed by another one")
            silent(what, run, "~")


run_tests(globals())
