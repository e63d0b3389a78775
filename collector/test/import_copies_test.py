#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_copies_test.py COLLECTOR ANALYZER: texts that have an event more than once, or seem to

Each text is made up, and right by construction.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from import_run import Run, expect, run_tests, says, silent

EXIT = "kvm_exit: vcpu {vcpu} reason {reason} rip {rip:#x} info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0"
ENTRY = "kvm_entry: vcpu {vcpu}, rip {rip:#x}"


def exit_(ns, reason="MSR_WRITE", **fields):
    return (ns, "kvm_exit", {"reason": reason, **fields})


def entry(ns, **fields):
    return (ns, "kvm_entry", fields)


def line(event, prefix="kvm:", digits=9, head="       CPU 0/KVM  {tid} [{cpu:03d}] "):
    ns, name, fields = event
    fields = {"vcpu": 0, "rip": 0x1000, "tid": 1000, "cpu": 3, **fields}
    fraction = f"{ns % 10**9:09d}"[:digits]
    form = EXIT if name == "kvm_exit" else ENTRY
    return f"{head.format(**fields)}{ns // 10**9:5d}.{fraction}: {prefix}{form.format(**fields)}\n"


def imported(text):
    with open("x.txt", "w") as out:
        out.write(text)
    return Run("x.txt")


def lines(events, **how):
    return "".join(line(e, **how) for e in events)


# perf: an event that was opened twice

def fast(apart, each=4, times=50):
    """Exits with no kvm_entry between them but after the last one: fastpath of 5.10."""
    events, ns = [entry(10**9)], 10**9
    for _ in range(times):
        for _ in range(each):
            ns += apart
            events.append(exit_(ns))
        ns += apart
        events.append(entry(ns))
    return events


def test_fast_exits_that_look_the_same():
    """Two exits are two, however alike: as the same events of a perf.data give."""
    for what, events, how in (("perf", fast(1500), {}), ("in twos", fast(1500, each=2, times=100), {}),
                              ("in threes", fast(1200, each=3), {}), ("faster", fast(900), {}),
                              ("whole us", fast(1500), {"digits": 6}), ("ftrace", fast(1500), {"prefix": ""}),
                              ("ftrace, in twos and faster", fast(400, each=2), {"prefix": ""})):
        run = imported(lines(events, **how))
        exits = sum(e[1] == "kvm_exit" for e in events)
        last = sum(e[1] == "kvm_entry" for e in events) - 1
        expect(f"{what} ({run.words})", run.counts(), (last, exits - last, 0))
        says(what, run, f"{exits - last} kvm_exit are followed by another one")


def test_entries_of_filtered_exits():
    """kvm_exit has a filter, kvm_entry none: the exits between the entries are missing."""
    events, ns = [entry(10**9)], 10**9
    for _ in range(50):
        events += [exit_(ns + 100000, "HLT")] + [entry(ns + 150000 + 1900 * i) for i in range(5)]
        ns += 160000
    run = imported(lines(events))
    expect(f"counts ({run.words})", run.counts(), (50, 200, 0))
    says("entries", run, "200 times a kvm_entry follows another one")


def twice(events, kinds, apart=150):
    return [(e[0] + again, *e[1:]) for e in events for again in ((0, apart) if e[1] in kinds else (0,))]


def plain(count=60, every=10000):
    events = [entry(10**9)]
    for i in range(count):
        ns = 10**9 + (i + 1) * every
        events += [exit_(ns, rip=0x1000 + 16 * (i % 3)), entry(ns + 3000)]
    return events


def test_opened_twice():
    """-e kvm:kvm_exit -e 'kvm:*': each event once, in ns and in us."""
    for kinds in (("kvm_exit",), ("kvm_entry",), ("kvm_exit", "kvm_entry")):
        for digits in (9, 6):
            run = imported(lines(twice(plain(), kinds), digits=digits))
            expect(f"{kinds} in {digits} digits ({run.words})", run.counts(), (60, 0, 0))

    # Fast exits were written twice too.
    run = imported(lines(twice(fast(1500), ("kvm_exit",))))
    expect(f"fast ones ({run.words})", run.counts(), (50, 150, 0))

    # One of a pair was lost.
    text = lines(twice(plain(), ("kvm_exit", "kvm_entry"))).splitlines(True)
    text[100] = " process reaper     0/0     [003] 1.000249000: PERF_RECORD_LOST lost 1\n"
    run = imported("".join(text))
    expect(f"a loss ({run.words})", run.counts()[0] + run.counts()[1], 60)


def test_opened_twice_for_a_part():
    """A filter of one of the two: which events are copies is not known, so none is left out."""
    events = plain()
    some = [e for i, e in enumerate(events) for e in ([e, (e[0] + 150, *e[1:])] if i % 4 == 1 else [e])]
    run = imported(lines(some))
    expect(f"half of them ({run.words})", run.counts(), (60, 30, 0))
    says("half of them", run, "30 kvm_exit are the same as the one before")
    silent("none of them", imported(lines(events)), "the same as")


run_tests(globals())
