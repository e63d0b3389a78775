#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_odd_test.py COLLECTOR ANALYZER: recordings that are right and that nobody expects

Each is made up (recordings.py), and right by construction. Beyond what the other import_*_test.py
have: threads that change, instances, losses, clocks, keys and names in forms of their own.
"""
import os
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from import_run import ANALYZER, Run, expect, possible, refused, run_tests, says, silent
from recordings import (ADDR, CALLCHAIN, Dat, NORMAL, Perf, WEIGHT, entry_event, exit_event, pages,
                        pairs)

EXITS = [e for e in pairs(60) if e[3] == "kvm_exit"]


def perf(events, tgid=None, **how):
    p = Perf(**how)
    p.samples(events, **({"tgid": tgid} if tgid else {}))
    return p


def imported(recording, write="write", *options):
    getattr(recording, write)("x")
    return Run("x", *options)


def dat(buffers, write="write", prepare=None):
    d = Dat(buffers)
    if prepare:
        prepare(d)
    return imported(d, write)


# Which vCPU

def test_exits_of_two_threads():
    """Without kvm_entry two VMs can't be told from a vCPU that moved: the note must not say which it is."""
    run = imported(perf([exit_event(1000 * i, 101 + i // 10 % 2, 0) for i in range(1, 60)], tgid=100))
    says("exits of two threads", run, "2 threads have a vCPU id that another one has too: without kvm_entry it is not known whether")
    silent("exits of two threads", run, "they are of several VMs")


def test_namespace():
    """perf in a container, the VMs outside of it: samples have no thread, the events have."""
    both = pairs(20, tid=101) + pairs(20, tid=201, start=1100, length=700, cpu=1)
    p = Perf()
    for event in sorted(both):
        at = len(p.records)
        p.sample(event)
        struct.pack_into("<II", p.records, at + 24, 0, 0)  # after the header, PERF_SAMPLE_IDENTIFIER and IP
    run = imported(p)
    expect(f"perf.data ({run.words})", run.shape() + run.counts(), (2, 2, 40, 0, 0))
    expect("perf.data: durations", run.db.execute("SELECT cycles, count(*) FROM exit GROUP BY 1").fetchall(),
           [(300, 20), (700, 20)])

    lines = (f" process reaper     0/0     [{cpu:03d}] {ts / 1e9:.9f}: kvm:{name}: vcpu 0" +
             (" reason HLT rip 0x1 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0\n" if name == "kvm_exit" else ", rip 0x1\n")
             for ts, cpu, _, name, _ in sorted(both))
    with open("x", "w") as out:
        out.writelines(lines)
    run = Run("x")
    says("text", run, "no durations: 40 kvm_exit are of thread 0")
    expect(f"text ({run.words})", run.counts() + (run.one("SELECT max(cycles) FROM exit"),), (40, 0, 0, 0))
    expect("text: one line of notes", run.words.count("\n"), 2)

def in_turn(threads, count, start=500, cpus=1, first_cpu=0):
    """One vCPU, another thread each time."""
    events = []
    for i in range(count):
        where = threads[i % len(threads)], 0, first_cpu + i % cpus
        events.append(entry_event(1000 * i + start, *where))
        events.append(exit_event(1000 * i + start + 700, where[0], where[1], cpu=where[2]))
    return events


def test_threads():
    run = imported(perf(in_turn(range(101, 106), 50, cpus=3), tgid=100))
    expect("5 threads in turn, 3 CPUs", run.shape() + run.counts(), (1, 1, 49, 0, 1))

    events = in_turn((101, 102), 40) + in_turn((103, 104), 40, start=530, first_cpu=1)
    run = imported(perf(sorted(events, key=lambda e: e[0]), tgid=100))
    says("two VMs of a process that both move", run, "can't be distinguished")
    expect("two VMs that both move: exits", run.counts(), (78, 0, 2))
    possible("two VMs that both move", run)

    p = perf(pairs(20), tgid=100)
    p.samples(pairs(20, start=90000), tgid=300)
    run = imported(p)
    expect("a thread's number is used again", run.shape() + run.counts(), (2, 2, 40, 0, 0))

    events = pairs(30, tid=101, vcpu=5) + pairs(30, tid=102, vcpu=9, start=1100, cpu=1)
    run = imported(perf(events, tgid=100))
    expect("vCPU ids", run.db.execute("SELECT vcpu_id FROM vcpu ORDER BY 1").fetchall(), [(5,), (9,)])


# Instances of ftrace

def test_instances():
    all_, other = pages(pairs(60)), pages(pairs(60, tid=102, vcpu=1, cpu=1, start=1100))
    run = dat([("n" * 80 + "a", "local", {0: all_}), ("n" * 80 + "b", "local", {1: other})])
    expect("names that begin alike for 80 letters", run.counts(), (120, 0, 0))
    run = dat([("", "local", {0: b""}), ("n" * 255, "local", {0: all_})])
    expect("a name of 255 letters", run.counts(), (60, 0, 0))
    run = dat([("", "local", {0: b""}), ("a", "local", {0: all_}),
               ("half", "local", {0: pages(pairs(60)[:50])})])
    expect("all and half", run.counts(), (60, 0, 0))
    run = dat([("a", "local", {0: pages(EXITS[:30], {5: 3})}), ("b", "local", {0: all_})])
    expect("exits with a loss, and all", run.counts(), (60, 0, 0))
    run = dat([("", "local", {0: b""}), ("vm", "local", {0: all_})], "write_compressed")
    expect("compressed", run.counts(), (60, 0, 0))


# Losses

def test_losses():
    p = Perf()
    p.lost(7, 900)
    p.samples(pairs(20))
    run = imported(p)
    expect(f"before the first event ({run.words})", run.counts(), (20, 3, 0))
    says("7 events of which 3 or 4 are exits", run, "~3 dropped")
    expect("7 events: at most", run.one("SELECT n FROM crosscheck WHERE name = 'dropped at most'"), 4)

    p = perf(pairs(20))
    p.lost(6, 50000)
    run = imported(p)
    expect(f"after the last one ({run.words})", run.counts(), (20, 3, 0))
    silent("6 events of which 3 are exits", run, "~")

    p = perf(pairs(20))
    p.lost_samples("kvm_entry", 4)
    run = imported(p)
    expect(f"of kvm_entry alone ({run.words})", run.counts(), (20, 0, 0))


def test_two_cpus_lose():
    """At once: 40 exits in all, of which 9 are in neither buffer."""
    events = sorted(pairs(20) + pairs(20, tid=101, vcpu=1, cpu=1, start=1100), key=lambda e: e[0])
    lost = [e for e in events if 5000 <= e[0] < 9050]
    p = perf([e for e in events if e[0] < 5000], tgid=100)
    for cpu in (0, 1):
        p.lost(sum(e[1] == cpu for e in lost), 9040 + 5 * cpu, cpu=cpu)
    p.samples([e for e in events if e[0] >= 9050], tgid=100)
    run = imported(p)
    expect(f"two CPUs lose events ({run.words})", run.counts(), (31, 9, 0))
    silent("two CPUs lose events", run, "~")


# Clocks

def test_clocks():
    for clock in ("local", "global", "perf", "mono", "mono_raw", "boot", "tai"):
        run = dat([("", clock, {0: pages(pairs(60))})])
        expect(clock, run.one("SELECT count(*), min(cycles), max(cycles) FROM exit"), (60, 300, 300))
    run = dat([("", "ppc-tb", {0: pages(pairs(60))})])
    says("a clock of another kind", run, "no durations: the clock ppc-tb does not measure time")

    for what, mult, shift in (("0 ns a cycle", 0, 22), ("2^200", 5, 200), ("4 s a cycle", 2**32 - 1, 0)):
        d = Dat([("", "x86-tsc", {0: pages(pairs(60))})])
        d.option(14, struct.pack("<IIQ", mult, shift, 0))
        d.write("x.dat")
        refused(what, "x.dat", "--tsc-khz")


def test_impossible_times():
    """A database has none past 2^63, and no clock comes so far: refused, as a text is."""
    for at in (2**63 - 20000, 2**63, 2**64 - 30000):
        events = [(at + ts, *rest) for ts, *rest in pairs(20)]
        perf(events).write("x.data")
        refused(f"perf.data, {at}", "x.data", "times that no clock shows")
        Dat([("", "local", {0: pages(events)})]).write("x.dat")
        refused(f"trace.dat, {at}", "x.dat", "times that no clock shows")
    run = imported(perf([(2**63 - 30000 + ts, *rest) for ts, *rest in pairs(20)]))
    expect(f"just possible ({run.words})", run.counts(), (20, 0, 0))


# Exits alone

def test_exits_alone():
    run = dat([("", "local", {0: pages(EXITS)})])
    expect("trace.dat", run.counts(), (60, 0, 0))
    says("trace.dat", run, "no durations")
    run = imported(perf(EXITS, sample_type=NORMAL | CALLCHAIN | ADDR | WEIGHT, recorded=("kvm_exit",)))
    expect("perf -g -d -W", run.counts(), (60, 0, 0))


# What an exit was about

def with_msr(msrs, reason=31, tid=100, cpu=0):
    """20 exits, in each of them kvm_msr of these MSRs."""
    events = [entry_event(500, 100, 0)]
    for ts in range(1000, 21000, 1000):
        events.append(exit_event(ts, 100, 0, reason=reason))
        events += [(ts + 50 + i, cpu, tid, "kvm_msr", {"write": 0, "ecx": msr, "data": 1})
                   for i, msr in enumerate(msrs)]
        events.append(entry_event(ts + 300, 100, 0))
    return events


def test_keys():
    def keys(events):
        run = imported(perf(events, recorded=("kvm_exit", "kvm_entry", "kvm_msr")))
        return run.one("SELECT count(*), group_concat(DISTINCT key) FROM exit")

    expect("two in one exit: the first", keys(with_msr((0x277, 0x10))), (20, str(0x277)))
    expect("of another thread", keys(with_msr((0x277,), tid=999, cpu=1)), (20, None))
    expect("in an exit of CPUID", keys(with_msr((0x277,), reason=10)), (20, None))
    early = [(400, 0, 100, "kvm_msr", {"write": 0, "ecx": 0x277, "data": 1})]
    expect("before any exit", keys(early + pairs(5, reason=31)), (5, None))
    run = dat([("", "local", {0: pages(with_msr((0x277,)))})], "write_compressed")
    expect("trace.dat", run.one("SELECT DISTINCT key_text FROM exits"), "MSR 0x277")


# Names and times

def test_names():
    p = perf(pairs(5))
    p.text_feature(3, "h\x1b[31m\u202e")
    run = imported(p)
    shown = subprocess.run([ANALYZER, "runs", "--db", "x.sqlite"], stdout=subprocess.PIPE, text=True).stdout
    expect(f"a host's name with escapes: {shown!r}", "\x1b" in shown or "\u202e" in shown, False)

    for what, clock in (("a later version", (2, 1, 1700000000000000000, 500)), ("the year 2554", (1, 1, 2**64 - 5, 500))):
        p = perf(pairs(5))
        p.features[29] = struct.pack("<IIQQ", *clock)
        expect(what, imported(p).one("SELECT started_ns FROM run"), 0)

    run = dat([("", "local", {0: pages(pairs(5))})])
    expect("no uname", run.one("SELECT host, kernel FROM run"), (None, None))
    run = dat([("", "local", {0: pages(pairs(5))})],
              prepare=lambda d: d.option(5, ("Linux " + "h" * 200 + " 6.1 x86_64\0").encode()))
    expect("a long host", run.one("SELECT host, kernel FROM run"), ("h" * 64, "6.1"))


def test_short_vms_without_processes():
    """5,000 VMs one after the other: each has a vCPU 0 on a thread of its own."""
    events = []
    for i in range(5000):
        events += pairs(2, tid=10000 + i, start=1000000 + 100000 * i)
    run = dat([("", "local", {0: pages(events)})])
    expect(f"they end in the guest ({run.words[:300]})", run.shape() + run.counts(),
           (5000, 5000, 10000, 0, 0))
    run = dat([("", "local", {0: pages(in_turn(range(10000, 30000), 20000))})])
    expect(f"they end in the host: one vCPU ({run.words[:300]})", run.shape() + run.counts()[:1],
           (1, 1, 19999))

    # Each of 40 runs with the next one at the same time, and ends in the host.
    events = []
    for i in range(40):
        events += pairs(10, tid=100 + i, start=1000000 + 10100 * i, period=2000)[:-1]
    run = dat([("", "local", {0: pages(sorted(events, key=lambda e: e[0]))})])
    expect(f"two at a time ({run.words[:300]})", run.shape()[1], 2)


def test_many_threads():
    """60,000 threads of one vCPU id of a process: one pass over the events, not one over all pairs of threads."""
    def seconds(p):
        before = os.times().children_user
        run = imported(p)
        return run, os.times().children_user - before

    p = Perf()
    for i in range(60000):
        at = 1000 * i + 500
        p.lost(1, at - 100)
        for event in (entry_event(at, 10000 + i, 0), exit_event(at + 200, 10000 + i, 0), entry_event(at + 400, 10000 + i, 0)):
            p.sample(event, tgid=7)
    run, used = seconds(p)
    expect(f"one after the other, with losses ({run.words[:300]})", run.shape() + run.counts()[:1], (1, 1, 60000))
    expect(f"within 10 s of CPU: {used}", used < 10, True)

    run, used = seconds(perf(in_turn(range(10000, 70000), 120000), tgid=7))
    expect(f"a pool, twice ({run.words[:300]})", run.shape() + run.counts()[:1], (1, 1, 119999))
    expect(f"a pool within 10 s of CPU: {used}", used < 10, True)


run_tests(globals())
