#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_cases_test.py COLLECTOR ANALYZER RECORDING...: the ways in which people record with perf, and real recordings

Of real recordings the right values are those of testdata/imports/README.md; the made-up
ones (recordings.py) are right by construction.
"""
import gzip
import os
import re
import sqlite3
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from import_run import (COLLECTOR, REAL, Run, analyzer, complete, expect, possible, refused, run_tests, says,
                        silent, survives_damage)
from recordings import (ADDR, CALLCHAIN, Dat, NORMAL, PERIOD, Perf, READ, WEIGHT, entry_event, exit_event, pages, pairs)

# Real recordings

REAL_COUNTS = {  # VMs, vCPUs, recorded, dropped, open, exits of CPUID
    "callgraph.data": (1, 1, 205, 0, 1, 200),
    "cycles.data": (1, 1, 211, 0, 1, 200),
    "exitonly.data": (1, 1, 205, 0, 0, 200),
    "weight.data": (1, 1, 208, 0, 1, 200),
    "zstd.data": (1, 1, 208, 0, 1, 200),
    "old.data": (1, 1, 208, 0, 1, 200),
    "msr.data": (1, 1, 108, 0, 1, 0),
    "move.data": (1, 1, 201, 0, 1, 100),
    "move.dat": (1, 1, 206, 0, 1, 100),
    "smp.dat": (1, 3, 308, 0, 3, 300),
    "tc_inst.dat": (1, 1, 206, 0, 1, 200),
}


def test_real():
    for name, right in REAL_COUNTS.items():
        with open(name, "wb") as out:
            out.write(gzip.open(REAL[name]).read())
        run = Run(name)
        cpuid = run.one("SELECT coalesce(sum(exits), 0) FROM top_exits WHERE basic_reason = 0x72")
        expect(f"{name} ({run.words})", (run.shape() or ()) + (run.counts() or ()) + (cpuid,), right)
        possible(name, run)
        expect(f"{name}: kernel", run.one("SELECT kernel FROM run"), "6.1.0-56-cloud-amd64")
        expect(f"{name}: time of this machine", run.one("SELECT started_ns, ended_ns FROM run"), (0, 0))
        expect(f"{name}: name", run.one("SELECT comm FROM vm"),
               "vmtricks" if name.startswith("move") else "exit_loop")

    # IOIO: 99 exits in each, by pairing the text of trace-cmd report and perf script
    for name, mean in (("move.data", 16.311), ("move.dat", 19.775)):
        run = Run(name)
        expect(f"{name}: IOIO", run.one("SELECT exits, round(mean_ns / 1e6, 3) FROM top_exits"
                                        " WHERE basic_reason = 0x7b"), (99, mean))
    run = Run("msr.data")
    expect("msr.data: keys", run.one("SELECT key_text, count(*) FROM exits WHERE basic_reason = 0x7c"),
           ("MSR 0x277 read", 100))
    run = Run("exitonly.data")
    says("exitonly.data", run, "no durations: the recording has kvm_exit and no kvm_entry")
    expect("exitonly.data: durations", run.one("SELECT count(cycles), count(ns), count(handler_ns) FROM exits"), (0, 0, 0))
    shown = analyzer("slowest")
    expect(f"no time in: {shown}", "0 ns       0 ns" in shown, False)
    shown = analyzer("top-exits")
    expect(f"no time in: {shown}", "200" in shown and "ns" not in shown.replace("durations", ""), True)

    with open("tc_tsc.dat", "wb") as out:
        out.write(gzip.open(REAL["tc_tsc.dat"]).read())
    refused("tc_tsc.dat", "tc_tsc.dat", "TSC cycles (clock x86-tsc)")
    run = Run("tc_tsc.dat", "--tsc-khz", "2095100")
    expect("tc_tsc.dat", run.counts(), (205, 0, 1))
    expect("tc_tsc.dat: kHz", run.one("SELECT tsc_khz FROM run"), 2095100)


def test_text_of_real():
    """perf script and trace-cmd report of recordings give what the recordings give."""
    with open("x.txt", "wb") as out:
        out.write(gzip.open(REAL["msr.script.txt"]).read())
    expect("perf script of msr.data", Run("x.txt").counts(), (108, 0, 1))
    with open("x.txt", "wb") as out:
        out.write(gzip.open(REAL["smp.report.txt"]).read())
    run = Run("x.txt")
    expect("trace-cmd report of smp.dat", run.shape() + run.counts(), (1, 3, 308, 0, 3))


# perf.data

def test_perf_options():
    for what, sample_type in (("-g", NORMAL | CALLCHAIN), ("-d -W", NORMAL | ADDR | WEIGHT),
                              ("counts", NORMAL | READ), ("all", NORMAL | ADDR | READ | CALLCHAIN | WEIGHT)):
        p = Perf(sample_type=sample_type)
        p.samples(pairs(50))
        p.write("x.data")
        possible(what, complete(f"perf {what}", "x.data", 50))
        p.write_pipe("x.data")
        complete(f"perf {what} -o -", "x.data", 50)


def test_perf_names():
    p = Perf()
    p.comm(100, "qemu-system-x86_64")
    p.text_feature(3, "recorder")
    p.text_feature(4, "5.4.0-test")
    p.text_feature(8, "Some CPU")
    p.features[29] = struct.pack("<IIQQ", 1, 1, 1700000000000000000, 500)
    p.samples(pairs(3))
    p.write("x.data")
    run = complete("names", "x.data", 3)
    expect("names", run.one("SELECT host, kernel, cpu_model, started_ns FROM run"),
           ("recorder", "5.4.0-test", "Some CPU", 1700000000000000000))
    expect("comm", run.one("SELECT comm FROM vm"), "qemu-system-x86")


def lost_perf(samples_told, other):
    """20 exits, of which 4 to 13 are lost with their entries; half as many others as ours."""
    p = Perf(recorded=("kvm_exit", "kvm_entry", "other"))
    events = pairs(20)
    if other:
        events += [(1000 + 500 * i, 0, 100, "other", {}) for i in range(40)]
    kept = [e for e in events if not 4000 <= e[0] < 14000]
    lost = [e for e in events if 4000 <= e[0] < 14000]
    p.samples([e for e in kept if e[0] < 14000])
    p.lost(len(lost), 13990)
    p.samples([e for e in kept if e[0] >= 14000])
    if samples_told:
        for name in p.recorded:
            p.lost_samples(name, sum(e[3] == name for e in lost))
    p.write("x.data")
    return Run("x.data")


def test_impossible_counts():
    """Counts that no host has would make numbers of exits negative."""
    for period in (2**48 + 2, 2**63, 2**64 - 1):
        p = Perf(period=2)
        p.samples(pairs(5), period=period)
        p.write("x.data")
        refused(f"a sample of {period} events", "x.data", "damaged")
    for count in (2**63, 2**64 - 1):
        p = Perf()
        p.samples(pairs(5))
        p.lost_samples("kvm_exit", count)
        p.write("x.data")
        refused(f"{count} lost samples", "x.data", "damaged")


def test_perf_lost():
    for reported, other in ((True, True), (True, False), (False, False)):
        run = lost_perf(reported, other)
        expect(f"lost {reported} {other} ({run.words})", run.counts(), (10, 10, 0))
        silent("lost exactly", run, "~")
        possible("lost", run)
    run = lost_perf(False, True)
    says("lost, estimated", run, "~")
    expect("analyzer runs shows an estimate", f"~{run.counts()[1]} " in analyzer("runs"), True)
    expect("parts that are not known", run.one("SELECT count(ns), count(handler_ns), count(halted_cycles) FROM exits"), (10, 0, 0))
    recorded, dropped, _ = run.counts()
    expect("lost, estimated: possible", recorded == 10 and 5 <= dropped <= 20, True)


def moved_while_lost(period, lost_for, other=range(2, 6)):
    """A vCPU whose exits take 300 ns. Once it goes from CPU 0 to CPU 1 and back, as it does at others,
    while CPU 1 loses all events: 10 exits there, in a part of the time."""
    p, events = Perf(), []
    for i in range(40):
        events.append(exit_event(1000 + period * i, 100, 0, cpu=1 if i in other or 20 <= i < 30 else 0))
        events.append(entry_event(1300 + period * i, 100, 0, cpu=1 if i in other or 20 <= i < 30 else 0))
    events.insert(0, entry_event(500, 100, 0))
    # The move: out of the guest on one CPU, into it on the other.
    moved = [(*e[:1], 0, *e[2:]) if e[0] == 1000 + period * 20 else e for e in events]
    moved = [(*e[:1], 1, *e[2:]) if e[0] == 1000 + period * 30 else e for e in moved]
    first, end = 1300 + period * 20, 1000 + period * 30
    kept = [e for e in moved if e[1] == 0 or not first <= e[0] <= end]
    p.samples([e for e in kept if e[0] < first])
    p.sample(exit_event(first - 250, 200, 1, cpu=1))
    p.sample(entry_event(first - 200, 200, 1, cpu=1))
    p.lost(len(moved) - len(kept), first + lost_for, cpu=1)
    p.samples([e for e in kept if e[0] > end])
    p.write("x.data")
    return Run("x.data")


def test_moved_while_lost():
    """An exit before and an entry after a time on another CPU are not one record of that time."""
    run = moved_while_lost(1000, 9900)
    expect(f"moved ({run.words})", run.one("SELECT max(cycles), sum(cycles = 300) FROM exit WHERE cycles != 50"), (300, 29))
    expect("moved: all exits", run.one("SELECT sum(recorded + dropped + open_exits) FROM vcpu"), 41)
    possible("moved", run)
    run = moved_while_lost(1000, 9900, range(34, 38))
    expect(f"moved, and was there later ({run.words})", run.one("SELECT max(cycles) FROM exit"), 300)


def test_other_cpu_lost():
    """Exits of a vCPU that was on both CPUs, while one of them loses events of others: a move takes
    longer than they do, so each is recorded."""
    p, events = Perf(), pairs(40)
    events = [(*e[:1], 1, *e[2:]) if e[0] < 5500 else e for e in events]
    p.samples([e for e in events if e[0] < 20000])
    p.lost(6, 29000, cpu=1)
    p.samples([e for e in events if e[0] >= 20000])
    p.write("x.data")
    run = Run("x.data")
    expect(f"another CPU's loss ({run.words})", run.one("SELECT count(*), max(cycles) FROM exit"), (40, 300))


def test_shown():
    """What is estimated or unknown is shown so."""
    run = lost_perf(False, True)
    expect("estimate", run.one("SELECT dropped_is_estimate, has_durations FROM runs"), (1, 1))
    expect("~ in: " + analyzer("top-exits"), "coverage: ~" in analyzer("top-exits"), True)
    most = run.one("SELECT n FROM crosscheck WHERE source = 'trace' AND name = 'dropped at most'")
    expect(f"at most {most}", most is not None and run.counts()[1] <= most <= 20, True)
    run = lost_perf(True, True)
    expect("exact", run.one("SELECT dropped_is_estimate, has_durations FROM runs"), (0, 1))
    expect("no ~ in: " + analyzer("top-exits"), "~" in analyzer("top-exits"), False)
    expect("started", run.one("SELECT started FROM runs"), None)


def test_perf_sampled():
    for how in ({"freq": True, "period": 4000}, {"period": 100}):
        p = Perf(**how)
        p.samples(pairs(10), period=100)
        p.write("x.data")
        run = Run("x.data")
        says(f"sampled {how}", run, "this is a sampled recording")
        expect(f"sampled {how}", run.counts(), (10, 990, 0))
        says(f"sampled {how}", run, "coverage ~1 %")
        expect("no durations", run.one("SELECT sum(cycles) FROM exit"), 0)

    # perf record -c N does not write it into each sample; with -F it is not known then.
    p = Perf(period=10, sample_type=NORMAL & ~PERIOD)
    p.samples(pairs(10))
    p.write("x.data")
    run = Run("x.data")
    expect(f"-c 10 ({run.words})", run.counts(), (10, 90, 0))
    p = Perf(period=4000, freq=True, sample_type=NORMAL & ~PERIOD)
    p.samples(pairs(10))
    p.write("x.data")
    run = Run("x.data")
    says("-F without periods", run, "how many exits are between the samples is not known")
    says("-F without periods", run, "10 records, ~0 dropped")


class Twice(Perf):
    """kvm_exit is opened a second time, as the event "again"."""

    def __init__(self):
        super().__init__(recorded=("kvm_exit", "kvm_entry", "again"))

    def attr(self, name):
        return super().attr("kvm_exit" if name == "again" else name)

    def again(self, event):
        at = len(self.records)
        self.sample(event)
        struct.pack_into("<Q", self.records, at + 8, self.id("again"))  # PERF_SAMPLE_IDENTIFIER

    def tracing_data(self):
        whole = Perf()
        return whole.tracing_data()


def test_perf_twice():
    """-e kvm:kvm_exit -e 'kvm:*': each exit is one exit; with two filters each has its own."""
    p = Twice()
    for event in pairs(30):
        p.sample(event)
        if event[3] == "kvm_exit":
            p.again((event[0] + 20, *event[1:]))
    p.write("x.data")
    complete("opened twice", "x.data", 30)
    p = Twice()
    for i, event in enumerate(pairs(30)):
        filtered = event[3] == "kvm_exit" and i % 4 == 1
        (p.again if filtered else p.sample)(event)
    p.write("x.data")
    complete("two filters", "x.data", 30)


def test_perf_twice_lost():
    """perf says of each event how many it lost: with two filters each has lost its own exits."""
    def put(p, events, twice=False):
        for event in events:
            second = event[3] == "kvm_exit" and event[0] // 1000 % 2
            (p.again if second and not twice else p.sample)(event)
            if twice and event[3] == "kvm_exit":
                p.again((event[0] + 20, *event[1:]))

    events = pairs(30)
    lost = [e for e in events if 10000 <= e[0] < 20000]
    p = Twice()
    put(p, [e for e in events if e[0] < 10000])
    p.lost(len(lost), 19990)
    put(p, [e for e in events if e[0] >= 20000])
    for name, count in (("kvm_exit", 5), ("kvm_entry", 10), ("again", 5)):
        p.lost_samples(name, count)
    p.write("x.data")
    run = Run("x.data")
    expect(f"two filters ({run.words})", run.counts(), (20, 10, 0))
    silent("two filters", run, "~")

    p = Twice()
    put(p, [e for e in events if e[0] < 10000], True)
    p.lost(30, 19990)
    put(p, [e for e in events if e[0] >= 20000], True)
    for name in p.recorded:
        p.lost_samples(name, 10)
    p.write("x.data")
    run = Run("x.data")
    expect(f"the same twice ({run.words})", run.counts(), (20, 10, 0))
    says("the same twice: the copies may be of others", run, "~10 dropped")


def test_one_after_the_other():
    """cat a b: the first one is read as if it were alone, and a line says that more follows."""
    p, other = Perf(), Perf()
    p.samples(pairs(20))
    other.samples(pairs(30, start=100000))
    dat = Dat([("", "local", {0: pages(pairs(20))})])
    for what, one, two in (("perf.data", p.write, other.write), ("pipe", p.write_pipe, other.write_pipe),
                           ("pipe, perf.data", p.write_pipe, other.write), ("perf.data, pipe", p.write, other.write_pipe),
                           ("trace.dat", dat.write, dat.write), ("trace.dat 6", dat.write_v6, dat.write_v6)):
        one("x.one")
        silent(what, complete(what, "x.one", 20), "another recording follows")
        two("x.two")
        first = open("x.one", "rb").read()
        with open("x.both", "wb") as out:
            out.write(first + open("x.two", "rb").read())
        says(what, complete(what, "x.both", 20), f"another recording follows at byte {len(first)} and was not read")


def test_perf_entries_sampled():
    class Sampled(Perf):
        def attr(self, name):
            self.period = 100 if name == "kvm_entry" else 1
            return super().attr(name)

    p = Sampled()
    p.samples(pairs(300), period=1)
    p.write("x.data")
    complete("kvm_entry -c 100, each is there", "x.data", 300)

    p = Sampled()
    for i, event in enumerate(pairs(300)):
        if event[3] == "kvm_exit" or i % 100 == 0:
            p.sample(event, period=100 if event[3] == "kvm_entry" else 1)
    p.write("x.data")
    run = Run("x.data")
    says("kvm_entry sampled", run, "no durations: kvm_entry was sampled")
    expect("kvm_entry sampled", run.counts(), (300, 0, 0))


def test_perf_aux():
    """Intel PT was recorded, too: its data follows a record, and is not one."""
    for write in (Perf.write, Perf.write_pipe):
        p, aux = Perf(), bytes(range(256)) * 5
        p.samples(pairs(30)[:20])
        p.record(71, struct.pack("<QQQIIII", len(aux), 0, 0, 0, 100, 0, 0))
        p.records += aux
        p.samples(pairs(30)[20:])
        write(p, "x.data")
        complete("with AUX data", "x.data", 30)
        p.record(71, struct.pack("<QQQIIII", 2**63, 0, 0, 0, 100, 0, 0))
        write(p, "x.data")
        refused("more AUX data than the file has", "x.data", "damaged")


def test_two_vendors():
    """Recordings of two hosts, joined."""
    p = Perf()
    p.samples(pairs(5) + [exit_event(9000, 100, 0, 0x72, isa=2), entry_event(9300, 100, 0)])
    p.write("x.data")
    refused("Intel and AMD", "x.data", "import each recording by itself")


def test_perf_vms():
    """A process with two VMs, whose vCPUs have the same ids and run at the same time."""
    p = Perf()
    p.samples(pairs(30, tid=101) + pairs(30, tid=102, start=1100, cpu=1), tgid=100)
    p.write("x.data")
    run = complete("two VMs", "x.data", 60)
    expect("two VMs", run.shape(), (2, 2))
    possible("two VMs", run)
    p = Perf()
    moved = []
    for i in range(20):  # the thread changes in the host
        moved += [entry_event(1000 * i + 500, 101 + i % 2, 0), exit_event(1000 * i + 1200, 101 + i % 2, 0)]
    p.samples(moved, tgid=100)
    p.write("x.data")
    run = Run("x.data")
    expect("one that moves", run.shape() + run.counts(), (1, 1, 19, 0, 1))
    possible("one that moves", run)


def test_perf_refused():
    p = Perf(without=("exit_reason", "guest_rip"))
    p.samples(pairs(3))
    p.write("x.data")
    refused("arm64", "x.data", "no x86 kvm_exit")
    # Text of a file is not a command to the terminal.
    p = Perf(without=("exit_reason", "guest_rip"))
    p.text_feature(6, "\x1b]0;title\x07\n\u202ex")
    p.samples(pairs(3))
    p.write("x.data")
    refused("escapes", "x.data", "it was recorded on ?]0;title???x, whose")
    p = Perf(without=("exit_reason",))
    p.samples(pairs(3))
    p.write("x.data")
    refused("no reason", "x.data", "has no field exit_reason")
    p = Perf(recorded=("kvm_entry",))
    p.samples([entry_event(5, 100, 0)])
    p.write("x.data")
    refused("no exits", "x.data", "no kvm_exit was recorded")
    p = Perf()
    p.samples(pairs(3))
    p.write("x.data")
    whole = bytearray(open("x.data", "rb").read())
    struct.pack_into("<Q", whole, 48, 0)
    open("x.data", "wb").write(whole)
    refused("killed", "x.data", "perf was killed")
    open("x.data", "wb").write(gzip.compress(bytes(whole)))
    refused("gzip", "x.data", "gunzip")
    open("x.data", "wb").write(b"2ELIFREP" + bytes(200))
    refused("big endian", "x.data", "big-endian")


def test_perf_old_kernel():
    p = Perf(without=("vcpu_id",), recorded=("kvm_exit",))
    p.samples([exit_event(100 * i, 100 + i % 2, 0) for i in range(10)], tgid=100)
    p.write("x.data")
    run = Run("x.data")
    says("old kernel, kvm_exit alone", run, "the vCPUs are numbered")
    expect("old kernel, kvm_exit alone", run.shape() + run.counts(), (1, 2, 10, 0, 0))


def kept_up_to_the_cut(what, at, count):
    """Of a pipe: status 1, one line, and what stands before the cut as an interrupted run."""
    run = Run("x.data")
    expect(what, run.status, 1)
    says(what, run, f"cut off at byte {at}; the {count} records before it are kept")
    run.db = sqlite3.connect("x.sqlite")
    expect(what, run.one("SELECT state FROM run") + str(run.counts()), f"interrupted({count}, 0, 1)")


def test_pipe_cut_anywhere():
    p = Perf()
    p.samples(pairs(10))
    p.write_pipe("y.data")
    whole, first = open("y.data", "rb").read(), None
    for at in range(len(whole) - len(p.records), len(whole), 37):
        open("x.data", "wb").write(whole[:at])
        run = Run("x.data")
        expect(f"cut at {at}: lines ({run.words})", run.words.count("\n"), 1)
        kept = [int(n) for n in re.findall(r"the (\d+) records before", run.words)]
        expect(f"cut at {at}: fewer before than now ({run.words})", not kept or first is None or kept[0] >= first, True)
        first = kept[0] if kept else first
    expect("cut near the end", first, 9)


def test_perf_cut_anywhere():
    """Not of a pipe: the formats stand after the data, and before the names of host and kernel."""
    p = Perf()
    for bit, text in ((3, "recorder"), (4, "5.4.0-test")):
        p.text_feature(bit, text)
    p.samples(pairs(10))
    p.write("y.data")
    whole, kept = open("y.data", "rb").read(), 0
    for at in range(120, len(whole), 13):
        open("x.data", "wb").write(whole[:at])
        run = Run("x.data")
        expect(f"cut at {at}: lines ({run.words})", (run.status, run.words.count("\n")), (1, 1))
        if "are kept" in run.words:
            says(f"cut at {at}", run, f"cut off at byte {at}; the 10 records before it are kept")
            kept += 1
        elif at > 1000:
            says(f"cut at {at}", run, f"cut off at byte {at}, and the formats of its events stood after that")
    expect("cut among the names", kept > 2, True)


def test_perf_damaged():
    p = Perf()
    p.samples(pairs(5))
    for write in (p.write, p.write_pipe):
        write("y.data")
        whole = open("y.data", "rb").read()
        survives_damage(whole, "x.data", 61)
        for cut in (1, 20):  # in the last record
            open("x.data", "wb").write(whole[:-cut])
            if write == p.write:
                refused(f"{cut} bytes short", "x.data", f"cut off at byte {len(whole) - cut}, and the formats")
            else:
                kept_up_to_the_cut(f"a pipe, {cut} bytes short", len(whole) - cut, 4)
    p.records += struct.pack("<IHH", 9, 0, 0)
    p.write("x.data")
    refused("a record of 0 bytes", "x.data", "damaged")
    open("x.data", "wb").write(b"2ELIFREP" + struct.pack(">Q", 16) + bytes(64))
    refused("big endian, a pipe", "x.data", "big-endian")
    open("x.data", "wb").write(b"")
    refused("nothing", "x.data", "is empty")


def test_shortened_while_read():
    """By another program, at any instant: one line, never a signal."""
    p = Perf()
    p.samples(pairs(20000))
    p.write("y.data")
    whole = open("y.data", "rb").read()
    ends = set()
    for i in range(30):
        open("x.data", "wb").write(whole)
        if os.path.exists("x.sqlite"):
            os.remove("x.sqlite")
        run = subprocess.Popen([COLLECTOR, "import", "x.data", "--db", "x.sqlite"], stderr=subprocess.PIPE, text=True)
        time.sleep(0.002 * (i % 15))
        os.truncate("x.data", 4096)
        words = run.stderr.read()
        ends.add(run.wait())
        expect(f"shortened: lines of {words!r}", words.count("\n"), 1)
    expect("shortened: ends", ends - {0, 1}, set())


def test_perf_odd():
    """Right, though nobody expects it."""
    p = Perf()
    p.samples(pairs(5, vcpu=0xfffffffe) + pairs(5, tid=101, vcpu=0x80000000))
    p.write("x.data")
    expect("huge vCPU ids", complete("huge vCPU ids", "x.data", 10).shape(), (2, 2))
    p = Perf()
    p.samples(pairs(20) + pairs(20, tid=200, start=1100))
    p.write("x.data")
    expect("one id in two processes", complete("one id in two processes", "x.data", 40).shape(), (2, 2))
    p = Perf(period=100)
    p.samples(pairs(10), period=100)
    p.write_pipe("x.data")
    expect("sampled, a pipe", Run("x.data").counts(), (10, 990, 0))
    p = Perf(recorded=("kvm_exit",))
    p.samples([e for e in pairs(10) if e[3] == "kvm_exit"])
    p.write_pipe("x.data")
    run = Run("x.data")
    says("kvm_exit alone, a pipe", run, "no durations")
    expect("kvm_exit alone, a pipe", run.counts(), (10, 0, 0))
    p = Perf()
    p.lost(2**64 - 1, 5)
    p.samples(pairs(5))
    p.write("x.data")
    refused("2^64 - 1 events lost", "x.data", "more exits are missing")


def test_perf_too_many():
    """More vCPUs or threads than there can be end soon, and in one line."""
    p = Perf()
    for i in range(20000):
        p.sample(exit_event(1000 + i, 100, i))
    p.write("x.data")
    refused("20,000 vCPUs", "x.data", "more than 16384 vCPUs")
    p = Perf()
    for i in range(70000):
        p.sample(exit_event(1000 + i, 100 + i, 0), tgid=7)
    p.write("x.data")
    refused("70,000 threads of a vCPU", "x.data", "or 65536 threads of one vCPU id")

    p = Perf()  # windows of one CPU in which events were lost, pairs of another
    for i in range(20000):
        p.lost(1, 1000 + i, cpu=1)
    p.samples(pairs(20000, start=30000))
    p.write("x.data")
    begin = time.monotonic()
    expect("20,000 windows", Run("x.data").counts()[0], 20000)
    expect("20,000 windows: within 10 s", time.monotonic() - begin < 10, True)


run_tests(globals())
