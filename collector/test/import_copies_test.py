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


# trace-cmd report: instances and files

TRACE_CMD = "            qemu-{tid}    [{cpu:03d}] d..2. "


def report(parts, width=5):
    """[(name, events)] as trace-cmd report merges them: in order of time, the name first"""
    merged = sorted(((e[0], i, name, e) for i, (name, events) in enumerate(parts) for e in events),
                    key=lambda m: m[:2])
    return "".join(f"{name + ':' if name else '':>{width}} " + line(e, prefix="", digits=6, head=TRACE_CMD)
                   for _, _, name, e in merged)


def later(events, ns, **fields):
    return [(e[0] + ns, e[1], {**e[2], **fields}) for e in events]


def test_instances():
    """An event that several have is one; what is not the same is never one."""
    events = plain()
    for apart in (0, 400, 2500):
        run = imported(report([("a", events), ("b", later(events, apart))]))
        expect(f"all twice, {apart} ns apart ({run.words})", run.counts(), (60, 0, 0))
    run = imported(report([("", events), ("a", later(events, 300)), ("b", later(events, 900))]))
    expect(f"all three times ({run.words})", run.counts(), (60, 0, 0))

    # Filters on an address: no two of them are the same.
    some = [e for e in events if e[2].get("rip") != 0x1010]
    others = [e for e in events if e[2].get("rip") != 0x1020]
    run = imported(report([("a", some), ("b", later(others, 200))]))
    expect(f"by addresses ({run.words})", run.counts(), (60, 0, 0))
    run = imported(report([("a", [e for e in events if e[1] == "kvm_exit" and e not in others]),
                           ("b", [e for e in events if e[1] == "kvm_entry" or e in others])]))
    expect(f"with nothing in common ({run.words})", run.counts(), (60, 0, 0))

    # Exits of one instance that are alike, some us apart.
    run = imported(report([("a", fast(1500, each=1)), ("b", later(plain(), 10**9, tid=1001, cpu=1, vcpu=1))]))
    expect(f"fast ones ({run.words})", run.counts(), (110, 0, 0))


def test_files():
    """Names of files are those of hosts, unless the files were written one after the other."""
    events = plain()
    for name in ("host{}.dat", "/tmp/host{}", "h{}.trace"):
        run = imported(report([(name.format(1), events), (name.format(2), later(events, 1700, rip=0x4000))], 12))
        expect(f"{name}: two hosts ({run.words})", run.shape() + run.counts(), (2, 2, 120, 0, 0))
        expect(f"{name}: threads", run.db.execute("SELECT DISTINCT tid, pcpu FROM vcpu_thread, exit").fetchall(), [(1000, 3)])
        says(f"{name}: two hosts", run, "each is taken as one of another host")

    # Two vCPUs each: each host is a VM of its own.
    pair = events + later(events, 400, tid=1001, vcpu=1, cpu=2)
    run = imported(report([("host1.dat", pair), ("host2.dat", later(pair, 1700, rip=0x4000))], 12))
    expect(f"two vCPUs each ({run.words})", run.shape() + run.counts(), (2, 4, 240, 0, 0))

    # A loss of one host is none of the other's.
    first = report([("host1.dat", events), ("host2.dat", later(events, 1700, rip=0x4000))], 12)
    text = [l for l in first.splitlines(True)]
    del text[100:104]
    text.insert(100, "  host1.dat: CPU:3 [2 EVENTS DROPPED]\n")
    text[101] = text[101].replace("host1.dat:", "          ")
    run = imported("".join(text))
    expect(f"a loss ({run.words})", run.counts()[0] + run.counts()[1] >= 118, True)

    run = imported(report([("part1.dat", events[:61]), ("part2.dat", events[61:])], 12))
    expect(f"one after the other ({run.words})", run.shape() + run.counts(), (1, 1, 60, 0, 0))
    silent("one after the other", run, "another host")
    run = imported(report([("a.dat", events), ("b.dat", later(events[31:], 300))], 12))
    expect(f"recorded twice ({run.words})", run.shape() + run.counts(), (1, 1, 60, 0, 0))


def test_logs():
    """What log programs print before each line is not an instance."""
    text = lines(plain(), prefix="", digits=6, head=TRACE_CMD).splitlines()
    for what, before in (("syslog", "Nov 28 15:23:{:02d} host logger[812]: "),
                         ("rsyslog", "2025-11-28T15:23:01.{:06d}+00:00 host logger[812]: "),
                         ("journal", "Nov 28 15:23:{:02d} host sh[812]: "), ("grep -n", "{}:"),
                         ("a name each", "n{}: "), ("dmesg", "[    1.{:06d}] ")):
        run = imported("".join(before.format(i // 25 if "Nov" in before else i) + l + "\n" for i, l in enumerate(text)))
        expect(f"{what} ({run.words})", run.shape() + run.counts(), (1, 1, 60, 0, 0))


# Buffers that were printed twice

def test_printed_twice():
    """cat trace >> log, twice: what both have is there once; with kvm_entry and without."""
    for digits in (6, 9):
        for apart, reading in ((10000, 3000), (2000, 400)):
            events = [e if e[1] == "kvm_exit" else (e[0] - 3000 + reading, *e[1:]) for e in plain(every=apart)][1:]
            for what, some, count in (("both", events, 60), ("exits", [e for e in events if e[1] == "kvm_exit"], 60)):
                for prefix in ("", "kvm:"):
                    half = len(some) // 2
                    again = min(half, 25)
                    run = imported(lines(some[:half], prefix=prefix, digits=digits) +
                                   lines(some[half - again:], prefix=prefix, digits=digits))
                    expect(f"{what} {digits} {apart} ({run.words})", run.counts(), (count, 0, 0))
                    says(what, run, f"{again} events stand twice in it")

    text = lines(plain())
    run = imported(text * 3)
    expect(f"three times ({run.words})", run.counts(), (60, 0, 0))
    says("three times", run, "242 events stand twice")
    run = imported("".join(reversed(text.splitlines(True))))
    expect(f"reversed ({run.words})", run.counts(), (60, 0, 0))
    silent("reversed", run, "twice")

    # Two CPUs, of which one has the later events: no part of it is older than the other's.
    two = plain() + later(plain(), 5000, tid=1001, vcpu=1, cpu=1)
    text = lines([e for e in two if e[2].get("cpu")] + [e for e in two if not e[2].get("cpu")], prefix="")
    run = imported(text)
    expect(f"CPU by CPU ({run.words})", run.counts(), (120, 0, 0))
    silent("CPU by CPU", run, "twice")
    run = imported(text + text)
    expect(f"CPU by CPU, twice ({run.words})", run.counts(), (120, 0, 0))


def head(present, written):
    return f"# tracer: nop\n#\n# entries-in-buffer/entries-written: {present}/{written}\n#\n"


def test_printed_twice_with_losses():
    """What was lost is counted once too."""
    events = plain()
    text = lines(events[:51], prefix="") + "CPU:3 [LOST 20 EVENTS]\n" + lines(events[71:], prefix="")
    for what, whole in (("once", text), ("twice", text + text)):
        run = imported(whole)
        expect(f"{what} ({run.words})", run.counts(), (50, 10, 0))

    # 200 events were overwritten at first; from then on all are in the one or the other.
    first, second = events[1:81], events[41:121]
    run = imported(head(80, 280) + lines(first, prefix="") + head(80, 320) + lines(second, prefix=""))
    expect(f"a buffer that went on ({run.words})", run.counts(), (60, 100, 0))
    # Ten more between them.
    run = imported(head(80, 280) + lines(first, prefix="") + head(80, 340) + lines(second, prefix=""))
    expect(f"a buffer that lost more ({run.words})", run.counts(), (60, 110, 0))


def test_buffer_without_some_lines():
    """grep -e '^#' -e kvm_: the lines that it took out are of the buffer that the header counts."""
    events = plain()
    other = "            x-{}     [003] d..2.     1.000{:03d}: sched_switch: prev_comm=a ==> next_comm=b\n"
    others = "".join(other.format(7, i) for i in range(879))
    full = imported(head(1000, 5000) + lines(events, prefix="") + others).counts()
    run = imported(head(1000, 5000) + lines(events, prefix=""))
    expect(f"as with them ({run.words})", run.counts(), full)
    expect("242 of 4000", full, (60, 242, 0))
    says("an estimate", run, "~242 dropped")
    run = imported(head(1000, 1000) + lines(events, prefix=""))
    expect(f"nothing was lost ({run.words})", run.counts(), (60, 0, 0))
    silent("nothing was lost", run, "~")


run_tests(globals())
