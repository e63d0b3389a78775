#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_cases_test.py COLLECTOR ANALYZER RECORDING...: the ways in which people record with perf and trace-cmd

Of real recordings the right values are those of testdata/imports/README.md; the made-up
ones (recordings.py) are right by construction.
"""
import gzip
import os
import sqlite3
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recordings import (ADDR, CALLCHAIN, Dat, NORMAL, Perf, READ, WEIGHT, entry_event, exit_event,
                        pages, pairs)

COLLECTOR = os.path.abspath(sys.argv[1])
ANALYZER = os.path.abspath(sys.argv[2])
REAL = {os.path.basename(p)[:-3]: os.path.abspath(p) for p in sys.argv[3:]}
os.chdir(os.environ["TEST_TMPDIR"])
failures = 0


class Run:
    """What an import made of a file."""

    def __init__(self, path, *options):
        if os.path.exists("x.sqlite"):
            os.remove("x.sqlite")
        done = subprocess.run([COLLECTOR, "import", path, "--db", "x.sqlite", *options],
                              stderr=subprocess.PIPE, text=True)
        self.status, self.words = done.returncode, done.stderr
        self.db = sqlite3.connect("x.sqlite") if done.returncode == 0 else None

    def one(self, sql):
        row = self.db.execute(sql).fetchone() if self.db else None
        return None if row is None else row[0] if len(row) == 1 else tuple(row)

    def counts(self):
        """recorded, dropped, open"""
        return self.one("SELECT sum(recorded), sum(dropped), sum(open_exits) FROM vcpu")

    def shape(self):
        """VMs, vCPUs"""
        return self.one("SELECT count(DISTINCT vm_id), count(*) FROM vcpu")


def expect(what, got, right):
    global failures
    if got != right:
        failures += 1
        print(f"FAILED: {what}: {got!r}, not {right!r}")


def says(what, run, words):
    expect(f"{what}: says '{words}' in: {run.words}", words in run.words, True)


def silent(what, run, words):
    expect(f"{what}: does not say '{words}' in: {run.words}", words in run.words, False)


def refused(what, path, words, *options):
    run = Run(path, *options)
    expect(f"{what}: status ({run.words})", run.status, 1)
    expect(f"{what}: lines of {run.words!r}", run.words.count("\n"), 1)
    says(what, run, words)
    expect(f"{what}: no database", os.path.exists("x.sqlite"), False)


def analyzer(command):
    return subprocess.run([ANALYZER, command, "--db", "x.sqlite"], stdout=subprocess.PIPE, text=True).stdout


def possible(what, run):
    """The exits of one vCPU never add up to more than the run."""
    expect(f"{what}: vCPUs with more time than the run",
           run.one("SELECT count(*) FROM (SELECT sum(cycles) AS c FROM exit GROUP BY vcpu), run"
                   " WHERE c > tsc_end - tsc_start"), 0)


def complete(what, path, count, *options):
    """count exits of 300 ns, none lost"""
    run = Run(path, *options)
    expect(f"{what}: ({run.words})", run.counts(), (count, 0, 0))
    expect(f"{what}: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"), (300, 300))
    return run


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


def test_perf_damaged():
    """Cut off anywhere and with bytes changed: a line or a database, never a crash."""
    p = Perf()
    p.samples(pairs(5))
    for write in (p.write, p.write_pipe):
        write("y.data")
        whole = open("y.data", "rb").read()
        for at in range(0, len(whole), 61):
            for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:]):
                open("x.data", "wb").write(data or b"\0")
                run = Run("x.data")
                expect(f"damaged at {at}: status ({run.words})", run.status in (0, 1), True)
                expect(f"damaged at {at}: lines", run.status == 0 or run.words.count("\n") == 1, True)
        for cut in (1, 20):  # in the last record
            open("x.data", "wb").write(whole[:-cut])
            refused(f"{cut} bytes short", "x.data", "damaged or cut off")
    p.records += struct.pack("<IHH", 9, 0, 0)
    p.write("x.data")
    refused("a record of 0 bytes", "x.data", "damaged")
    open("x.data", "wb").write(b"2ELIFREP" + struct.pack(">Q", 16) + bytes(64))
    refused("big endian, a pipe", "x.data", "big-endian")
    open("x.data", "wb").write(b"")
    refused("nothing", "x.data", "is empty")


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
    for i in range(5000):
        p.sample(exit_event(1000 + i, 100 + i, 0), tgid=7)
    p.write("x.data")
    refused("5,000 threads of a vCPU", "x.data", "or threads of one vCPU")

    p = Perf()  # windows of one CPU in which events were lost, pairs of another
    for i in range(20000):
        p.lost(1, 1000 + i, cpu=1)
    p.samples(pairs(20000, start=30000))
    p.write("x.data")
    begin = time.monotonic()
    expect("20,000 windows", Run("x.data").counts()[0], 20000)
    expect("20,000 windows: within 10 s", time.monotonic() - begin < 10, True)


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
    write_dat([("a", "local", {0: pages(one)}), ("b", "local", {0: pages(one), 1: pages(other)})], 7)
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


def test_dat_refused():
    d = Dat([("", "local", {0: pages(pairs(3))})])
    d.uname("aarch64")
    d.write("x.dat")
    refused("aarch64", "x.dat", "recorded on aarch64")
    Dat([("", "local", {0: b""})], formats=()).write("x.dat")
    refused("no kvm", "x.dat", "had no kvm events")
    Dat([("", "local", {0: b""})]).write("x.dat")
    run = Run("x.dat")
    says("no exits", run, "no VM ran")
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


def test_dat_damaged():
    for version in (6, 7):
        write_dat([("", "local", {0: pages(pairs(5))})], version)
        whole = open("x.dat", "rb").read()
        for at in range(0, len(whole), 127):
            for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:]):
                open("x.dat", "wb").write(data or b"\0")
                run = Run("x.dat")
                expect(f"damaged at {at}: status ({run.words})", run.status in (0, 1), True)


# Text

FTRACE = """# tracer: nop
#
# entries-in-buffer/entries-written: {present}/{written}   #P:4
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""


def line(head, event):
    return f"{head}: {event}\n"


def exit_text(i, what="vcpu 0 reason MSR_READ rip 0xfff0 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0"):
    return f"kvm_exit: {what}"


def ftrace_text(count, head, times):
    text = ""
    for i in range(count):
        text += line(head + times(2 * i), exit_text(i))
        text += line(head + times(2 * i), "kvm_msr: msr_read 277 = 0x70406")
        text += line(head + times(2 * i + 1), "kvm_entry: vcpu 0, rip 0xfff2")
    return text


def test_text():
    us = lambda n: f"   12.{n * 100:06d}"
    ns = lambda n: f"   12.{n * 100000:09d}"
    forms = {
        "ftrace": (FTRACE.format(present=9, written=9), "       CPU 0/KVM-100     [003] d..2.", us),
        "ftrace with tgid": ("", "       CPU 0/KVM-100     (     90) [003] d..2.", us),
        "trace-cmd report": ("cpus=4\n", "       CPU 0/KVM-100   [003]", us),
        "perf script": ("", "       CPU 0/KVM   100 [003]", ns),
        "perf script -F pid": ("", "       CPU 0/KVM    90/100 [003]", ns),
        "perf script without CPU": ("", "CPU 0/KVM   100 ", ns),
    }
    for what, (begin, head, times) in forms.items():
        open("x.txt", "w").write(begin + ftrace_text(30, head, times))
        run = Run("x.txt")
        expect(f"{what} ({run.words})", (run.shape() or ()) + (run.counts() or ()), (1, 1, 30, 0, 0))
        expect(f"{what}: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"), (100000, 100000))
        expect(f"{what}: key", run.one("SELECT key_text, rip FROM exits"), ("MSR 0x277", "000000000000fff0"))
        expect(f"{what}: name", run.one("SELECT comm FROM vm"), "CPU 0/KVM")
        expect(f"{what}: process", run.one("SELECT tgid FROM vm"), 90 if "90" in head else 0)

    open("x.txt", "w").write(FTRACE.format(present=90, written=150) + ftrace_text(30, "kvm-1 [000] ", us))
    run = Run("x.txt")
    says("overwritten", run, "~")
    expect("overwritten", run.counts(), (30, 20, 0))
    open("x.txt", "w").write(ftrace_text(5, "kvm-1 [000] ", us) + "CPU:0 [LOST 12 EVENTS]\n" +
                             ftrace_text(5, "kvm-1 [000] ", lambda n: f"   13.{n * 100:06d}"))
    expect("lost", Run("x.txt").counts(), (10, 4, 0))
    open("x.txt", "w").write(ftrace_text(5, "kvm-1 [000] ", lambda n: f" {9000 + 10 * n}"))
    run = Run("x.txt")
    says("counter", run, "no durations: its times are whole numbers")
    expect("counter", run.counts() + (run.one("SELECT sum(cycles) FROM exit"),), (5, 0, 0, 0))
    expect("cycles", Run("x.txt", "--tsc-khz", "2000000").one("SELECT min(cycles) FROM exit"), 10)


REASONS = [  # text, isa, number
    ("vcpu 0 reason npf rip 0x1 info1 0x6 info2 0x1000", 2, 0x400),
    ("vcpu 0 reason interrupt rip 0x1 info1 0x0 info2 0x0", 2, 0x60),
    ("reason EXIT_IOIO rip 0x1 info 3f80010 0", 2, 0x7b),
    ("reason EPT_MISCONFIG rip 0x1 info 0 0", 1, 49),
    ("reason EXTERNAL_INTERRUPT rip 0x1 info 0 80000021", 1, 1),
    ("vcpu 0 reason INVALID_STATE FAILED_VMENTRY rip 0x1 info1 0x0 info2 0x0", 1, 0x80000021),
    ("vcpu 0 reason PREEMPTION_TIMER rip 0x1 info1 0x0 info2 0x0", 1, 52),
]


def test_reasons():
    for text, isa, number in REASONS:
        open("x.txt", "w").write(line("kvm-1 [000] 1.0", "kvm_entry: vcpu 0") +
                                 line("kvm-1 [000] 1.000001", f"kvm_exit: {text}") +
                                 line("kvm-1 [000] 1.000002", "kvm_entry: vcpu 0"))
        run = Run("x.txt")
        expect(f"{text} ({run.words})", run.one("SELECT isa, reason FROM run, exit"), (isa, number))


def test_text_of_real():
    """perf script and trace-cmd report of recordings give what the recordings give."""
    with open("x.txt", "wb") as out:
        out.write(gzip.open(REAL["msr.script.txt"]).read())
    expect("perf script of msr.data", Run("x.txt").counts(), (108, 0, 1))
    with open("x.txt", "wb") as out:
        out.write(gzip.open(REAL["smp.report.txt"]).read())
    run = Run("x.txt")
    expect("trace-cmd report of smp.dat", run.shape() + run.counts(), (1, 3, 308, 0, 3))


for name, test in list(globals().items()):
    if not name.startswith("test_"):
        continue
    try:
        test()
    except Exception as error:  # what is missing in the database
        expect(name, error, None)
print(f"{failures} failures")
sys.exit(failures != 0)
