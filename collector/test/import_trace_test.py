#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_trace_test.py COLLECTOR ANALYZER: trace.dat files of trace-cmd

The recordings are made up (recordings.py), and right by construction.
"""
import os
import random
import sqlite3
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from import_run import Run, complete, expect, refused, run_tests, says, silent, survives_damage
from recordings import Dat, pages, pairs

# trace.dat

def write_dat(buffers, version, **how):
    d = Dat(buffers, **how)
    d.uname()
    (d.write if version == 7 else d.write_v6)("x.dat")
    return d


def test_dat_instances():
    for version in (6, 7):
        recorded = {0: pages(pairs(200))}
        write_dat([("", "local", recorded)], version)
        run = complete(f"v{version}", "x.dat", 200)
        expect("host", run.one("SELECT host, kernel FROM run"), ("recorder", "5.4.0-test"))
        expect("comm", run.one("SELECT comm FROM vm"), "qemu")

        write_dat([("", "local", {}), ("vm", "local", recorded)], version)
        if version == 7:  # in version 6 an instance without own CPUs has those of the top one
            complete(f"v{version} -B", "x.dat", 200)
        write_dat([("", "local", recorded), ("vm", "local", recorded)], version)
        complete(f"v{version} twice", "x.dat", 200)

    # Each instance has a VM (-P), a CPU (-M), or all of another one and more.
    one, other = pairs(20, tid=101, vcpu=0, cpu=0), pairs(30, tid=102, vcpu=1, cpu=1, start=1100)
    write_dat([("a", "local", {0: pages(one)}), ("b", "local", {1: pages(other)})], 7)
    expect("-B a -P 101 -B b -P 102", complete("two threads", "x.dat", 50).shape()[1], 2)
    write_dat([("a", "local", {0: pages(one)}), ("b", "local", {0: pages(one), 1: pages(other)})],
              7)
    expect("-B a -P 101 -B b", complete("one is in both", "x.dat", 50).shape()[1], 2)
    moved = pairs(40)
    cpus = {cpu: [e for e in moved if (e[0] < 21000) == (cpu == 0)] for cpu in (0, 1)}
    write_dat([("a", "local", {0: pages(cpus[0])}), ("b", "local", {1: pages(cpus[1])})], 7)
    complete("-B a -M 1 -B b -M 2", "x.dat", 40)
    late = [(ts + 40, *rest) for ts, *rest in one]  # the same events, a little later
    write_dat([("a", "local", {0: pages(one)}), ("b", "local", {0: pages(late)})], 7)
    complete("both, at times of their own", "x.dat", 20)

    exits = [e for e in pairs(200) if e[3] == "kvm_exit"]
    entries = [e for e in pairs(200) if e[3] == "kvm_entry"]
    write_dat([("a", "local", {0: pages(exits)}), ("b", "local", {0: pages(entries)})], 7)
    complete("exits and entries apart", "x.dat", 200)
    write_dat([("a", "local", {0: pages(exits)}), ("b", "mono", {0: pages(entries)})], 7)
    refused("two clocks", "x.dat", "can't be compared")


def test_dat_cpus():
    """A vCPU that moves between CPUs, whose buffers are read one after the other."""
    events = pairs(100)
    cpus = {cpu: pages([e for i, e in enumerate(events) if i % 3 == cpu]) for cpu in range(3)}
    write_dat([("", "local", cpus)], 7)
    complete("three CPUs", "x.dat", 100)


def test_dat_lost():
    events = pairs(40)
    index = next(i for i, e in enumerate(events) if e[0] >= 10000)
    end = next(i for i, e in enumerate(events) if e[0] >= 20000)
    kept, lost = events[:index] + events[end:], end - index
    for stored, stats in ((lost, None), (None, lost), (lost, lost)):
        d = Dat([("", "local", {0: pages(kept, {index: stored})})])
        if stats is not None:
            d.stats(stats)
        d.write("x.dat")
        run = Run("x.dat")
        expect(f"lost {stored} {stats} ({run.words})", run.counts(), (30, 10, 0))
        silent("lost exactly", run, "~")
    Dat([("", "local", {0: pages(kept, {index: None})})]).write("x.dat")
    says("lost, not said how many", Run("x.dat"), "~")

    # Statistics of an instance that is not used are not this recording's losses.
    d = Dat([("", "local", {0: b""}), ("vm", "local", {0: pages(events)})])
    d.stats(77)
    d.stats(0, "vm")
    d.write("x.dat")
    complete("other instance's losses", "x.dat", 40)
    whole, part = pages(events), pages(kept, {index: lost})
    for buffers in ([("a", "local", {0: whole}), ("b", "local", {0: part})],
                    [("a", "local", {0: part}), ("b", "local", {0: whole})]):
        Dat(buffers).write("x.dat")
        complete("lost in one of two instances", "x.dat", 40)


def test_dat_clocks():
    for clock in ("counter", "uptime"):
        write_dat([("", clock, {0: pages(pairs(10))})], 7)
        run = Run("x.dat")
        says(clock, run, f"no durations: the clock {clock} does not measure time")
        expect(clock, run.counts() + (run.one("SELECT sum(cycles) FROM exit"),), (10, 0, 0, 0))
    for version in (6, 7):
        d = Dat([("", "x86-tsc", {0: pages(pairs(10))})])
        (d.write if version == 7 else d.write_v6)("x.dat")
        refused("x86-tsc", "x.dat", "--tsc-khz")
        d.option(14, struct.pack("<IIQ", 1 << 20, 22, 0))  # 1/4 ns a cycle
        (d.write if version == 7 else d.write_v6)("x.dat")
        run = Run("x.dat")
        expect(f"tsc2nsec v{version} ({run.words})", run.one("SELECT tsc_khz FROM run"), 4000000)
    d = Dat([("", "local", {0: pages(pairs(10))})])
    d.option(1, b"0x603d2e18c7a40\0")
    d.write("x.dat")
    expect("date", Run("x.dat").one("SELECT started_ns FROM run"), 0x603d2e18c7a40 * 1000 + 500)


def test_dat_clock_of_old_trace_cmd():
    """Before 3.0 the option is empty, and the clock stands after the places of the pages."""
    def write(clock, others=(), **how):
        d = Dat([("", clock, {0: pages(pairs(10))}), *others])
        d.write_v6("x.dat", old=True, **how)
        return d

    write("local")
    complete("local", "x.dat", 10)
    write("counter")
    run = Run("x.dat")
    says("counter", run, "no durations: the clock counter does not measure time")
    expect("counter", run.one("SELECT count(*), sum(cycles) FROM exit"), (10, 0))
    write("x86-tsc")
    refused("x86-tsc", "x.dat", "--tsc-khz")
    run = Run("x.dat", "--tsc-khz", "2100000")
    expect(f"--tsc-khz ({run.words})", run.one("SELECT tsc_khz, max(cycles) FROM run, exit"),
           (2100000, 300))

    # Each instance has its own; an option that says one is of the top one.
    write("mono", [("vm", "x86-tsc", {0: pages(pairs(10, tid=101, vcpu=1))})])
    refused("two clocks", "x.dat", "the clocks x86-tsc and mono")

    write("x86-tsc", says_clock=False)
    run = Run("x.dat")
    says("no clock", run, "no durations: the file does not say of which clock its times are")
    expect("no clock", run.one("SELECT count(*), sum(cycles) FROM exit"), (10, 0))
    run = Run("x.dat", "--tsc-khz", "2100000")
    expect(f"no clock, --tsc-khz ({run.words})", run.one("SELECT max(cycles) FROM exit"), 300)


def test_dat_refused():
    d = Dat([("", "local", {0: pages(pairs(3))})])
    d.uname("aarch64")
    d.write("x.dat")
    refused("aarch64", "x.dat", "recorded on aarch64")
    Dat([("", "local", {0: b""})], formats=()).write("x.dat")
    refused("no kvm", "x.dat", "had no kvm events")
    Dat([("", "local", {0: b""})]).write("x.dat")
    run = Run("x.dat")
    says("no exits", run, "no VM ran, or it was not recorded")
    silent("no exits", run, "coverage")


def test_dat_other_hosts():
    Dat([("", "local", {0: pages(pairs(5))})]).write("x.dat")
    whole = open("x.dat", "rb").read()
    at = whole.index(b"7\0\0\x08")
    for what, new in (("a newer version", b"9\0\0\x08"), ("big endian", b"7\0\1\x08")):
        open("x.dat", "wb").write(whole[:at] + new + whole[at + 4:])
        refused(what, "x.dat", "a newer trace-cmd")
    open("x.dat", "wb").write(whole[:at + 4] + bytes(4) + whole[at + 8:])
    refused("pages of 0 bytes", "x.dat", "damaged or cut off")


def test_dat_of_killed_trace_cmd():
    """It leaves the pages of each CPU, and maybe the beginning of a trace.dat."""
    with open("x.dat.cpu0", "wb") as out:
        out.write(pages(pairs(100)))
    refused("pages of a CPU", "x.dat.cpu0", "trace-cmd restore")
    with open("x.dat.cpu0", "wb") as out:
        out.write(pages(pairs(3), {0: None}))
    refused("pages after a loss", "x.dat.cpu0", "trace-cmd restore")
    with open("x.dat.cpu0", "wb") as out:
        out.write(b"x" * 4096)
    refused("4,096 letters", "x.dat.cpu0", "not a perf.data, a trace.dat or a text")

    for version in (6, 7):
        write_dat([("", "local", {0: pages(pairs(3))})], version)
        whole = open("x.dat", "rb").read()
        open("x.dat", "wb").write(whole[:112])
        refused(f"v{version}, its beginning", "x.dat", "trace-cmd restore -o FILE x.dat.cpu*")
    at = whole.index(b"none\0\0") + 6
    open("x.dat", "wb").write(whole[:at] + bytes(8) + whole[at + 8:])
    refused("no place of options", "x.dat", "trace-cmd restore -o FILE x.dat.cpu*")


def varied(events):
    """With addresses that hardly become shorter when they are compressed."""
    chance = random.Random(1)
    for event in events:
        for field in ("guest_rip", "rip", "info1", "info2"):
            event[4][field] = chance.getrandbits(64)
    return events


def cut(at, whole):
    """What the first bytes of a file give; a run that was kept is in run.db."""
    open("x.dat", "wb").write(whole[:at])
    run = Run("x.dat")
    expect(f"cut at {at}: status ({run.words})", run.status, 1)
    says(f"cut at {at}", run, "cut off")
    if "are kept" in run.words:
        run.db = sqlite3.connect("x.sqlite")
        says(f"cut at {at}", run, f"cut off at byte {at}; the {run.counts()[0]} records before it are kept")
        expect(f"cut at {at}: state", run.one("SELECT state FROM run"), "interrupted")
    return run


def writers():
    """trace-cmd up to 2.9, and from 3 on with chunks of one page and of more."""
    yield "v6", lambda d: d.write_v6("y.dat")
    yield "v7, a page a chunk", lambda d: d.write_compressed("y.dat", 1)
    yield "v7", lambda d: d.write_compressed("y.dat", 3)


def test_dat_cut():
    """Of one CPU: all that stands before, with durations; more of it the later the cut is."""
    for what, write in writers():
        d = Dat([("", "local", {0: pages(varied(pairs(400))), 1: b""})])
        d.stats(0)
        d.stats(0, cpus=(1,), read=0)
        write(d)
        complete(what, "y.dat", 400)
        whole, kept = open("y.dat", "rb").read(), [0]
        for at in range(200, len(whole), 997):
            run = cut(at, whole)
            expect(f"{what}, cut at {at}: lines of {run.words}", run.words.count("\n"), 1)
            if run.db:
                kept.append(run.counts()[0])
                expect(f"{what}: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"), (300, 300))
        expect(f"{what}: more and more of {kept}", kept == sorted(kept) and len(set(kept)) > 3, True)
        expect(f"{what}: the last cut", kept[-1] > 300, True)


def test_dat_cut_cpus():
    """Of several CPUs, of which 0 has no events: what stands before, without durations."""
    events = varied(pairs(600))
    cpus = {0: b""} | {cpu: pages([e for e in events if e[0] // 7000 % 3 == cpu - 1])
                       for cpu in (1, 2, 3)}
    for what, write in writers():
        d = Dat([("", "local", cpus)])
        d.stats(0, cpus=(0,), read=0)
        d.stats(0, cpus=(1, 2, 3))
        write(d)
        complete(what, "y.dat", 600)
        whole, kept = open("y.dat", "rb").read(), [0]
        for at in range(len(whole) - 8000, len(whole) - 200, 1501):
            run = cut(at, whole)
            says(f"{what}, cut at {at}", run, "no durations: the recording is cut off")
            expect(f"{what}: durations", run.one("SELECT max(cycles) FROM exit"), 0)
            expect(f"{what}: CPUs", run.one("SELECT min(pcpu) FROM exit"), 1)
            kept.append(run.counts()[0])
        right = sum(e[3] == "kvm_exit" and e[0] // 7000 % 3 != 2 for e in events)
        expect(f"{what}: more and more of {kept}", kept == sorted(kept), True)
        expect(f"{what}: all of the CPUs before, part of the last", right < kept[-1] < 600, True)


def test_dat_filters():
    """Instances with filters of their own: each event once, whichever instances have it."""
    events = [(*e[:4], dict(e[4], exit_reason=(48, 10, 48, 1)[i // 2 % 4]) if e[3] == "kvm_exit" else e[4])
              for i, e in enumerate(pairs(80)[1:])]
    def some(reasons, entries=False):
        return [e for e in events if e[4].get("exit_reason") in reasons or entries and e[3] == "kvm_entry"]

    for what, a, b, timed in (("disjoint", {48}, {1, 10}, False), ("overlapping", {48, 10}, {1, 10}, False),
                              ("with entries", {48}, {1, 10}, True)):
        for form in ("write", "write_compressed"):
            d = Dat([("", "local", {0: b""}), ("a", "local", {0: pages(some(a, timed))}),
                     ("b", "local", {0: pages(some(b, timed))})])
            getattr(d, form)("x.dat")
            run = complete(what, "x.dat", 80) if timed else Run("x.dat")
            expect(f"{what} ({run.words})", run.counts(), (80, 0, 0))
            expect(f"{what}: reasons", run.db.execute("SELECT reason, count(*) FROM exit GROUP BY 1").fetchall(),
                   [(1, 20), (10, 20), (48, 40)])

    # Both record the same, each with losses where the other has none: how many are missing is not known.
    lossy = {"a": {48: 10}, "b": {10: 6}}
    buffers = [(name, "local", {0: pages([e for e in events if e[4].get("exit_reason") != reason or e[0] > 40000],
                                         {20: count})})
               for name, loss in lossy.items() for reason, count in loss.items()]
    write_dat([("", "local", {0: b""})] + buffers, 7)
    run = Run("x.dat")
    says("losses of both", run, "~")


def test_dat_address_filters():
    """Filters for what an exit says beyond its reason: each exit once, and no word of completeness where nothing proves it."""
    words = "instances have exits that another one of the same thread lacks"
    events = [(*e[:4], dict(e[4], guest_rip=(0x1000, 0x2000, 0x1000, 0x3000, 0x1000)[i // 2 % 5], info2=i // 2 % 2))
              for i, e in enumerate(pairs(100)[1:])]
    exits = [e for e in events if e[3] == "kvm_exit"]

    def of(field, values, entries=False):
        return [e for e in events if e[4].get(field) in values and e[3] == "kvm_exit" or entries and e[3] == "kvm_entry"]

    def run_of(*instances):
        Dat([("", "local", {0: b""})] + [(f"i{i}", "local", {0: pages(e)}) for i, e in enumerate(instances)]).write("x.dat")
        return Run("x.dat")

    for what, one, other, count in (
            ("two addresses", of("guest_rip", {0x1000}), of("guest_rip", {0x2000}), 80),
            ("all addresses, of which both have one", of("guest_rip", {0x1000, 0x2000}), of("guest_rip", {0x2000, 0x3000}), 100),
            ("another field", of("info2", {0}), of("info2", {1}), 100),
            ("two phases", [(e[0], *e[1:4], dict(e[4], guest_rip=1)) for e in exits[:50]],
             [(e[0] + 5 * 10**9, *e[1:4], dict(e[4], guest_rip=2)) for e in exits[50:]], 100)):
        for both in ((one, other), (other, one)):
            run = run_of(*both)
            expect(f"{what} ({run.words})", run.counts(), (count, 0, 0))
            says(what, run, words)
            says(what, run, "~0 dropped (coverage ~100 %)")

    # kvm_entry shows that none is missing, or how many.
    one, other = of("guest_rip", {0x1000}, True), of("guest_rip", {0x2000, 0x3000}, True)
    run = run_of(one, other)
    expect(f"with entries ({run.words})", run.counts(), (100, 0, 0))
    expect("with entries: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"), (300, 300))
    silent("with entries", run, words)
    silent("with entries", run, "~")
    run = run_of(one, of("guest_rip", {0x2000}, True))
    expect(f"with entries, 20 exits of no filter ({run.words})", run.counts(), (80, 20, 0))

    # No filter: one has all that the other has; they began and ended one after the other; a trace lost some.
    unique = [(*e[:4], dict(e[4], info1=i)) for i, e in enumerate(exits)]
    for what, one, other, count in (("a filter next to all", exits, of("guest_rip", {0x2000}), 100),
                                    ("one after the other", unique[:97], unique[2:], 98), ("the same", unique, unique, 100)):
        run = run_of(one, other)
        expect(f"{what} ({run.words})", run.counts(), (count, 0, 0))
        silent(what, run, words)
        silent(what, run, "~")


def test_dat_cut_instances():
    """The instance before the cut is whole, the one after it is not there."""
    for what, write in writers():
        d = Dat([("", "local", {0: pages(pairs(100))}),
                 ("vm", "local", {0: pages(pairs(300, tid=101, vcpu=1, start=1100))})])
        d.stats(0)
        d.stats(0, "vm")
        write(d)
        complete(what, "y.dat", 400)
        whole = open("y.dat", "rb").read()
        run = cut(len(whole) - 5000 if what == "v6" else len(whole) - 300, whole)
        expect(f"{what}: {run.words}", run.counts()[0] >= 100, True)
        expect(f"{what}: the first instance", run.one(
            "SELECT recorded FROM vcpu WHERE vcpu_id = 0"), 100)


def test_dat_damaged():
    for version in (6, 7):
        write_dat([("", "local", {0: pages(pairs(5))})], version)
        survives_damage(open("x.dat", "rb").read(), "x.dat", 127)


run_tests(globals())
