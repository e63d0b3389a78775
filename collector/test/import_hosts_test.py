#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_hosts_test.py COLLECTOR ANALYZER: what other kernels write, and of which part of the host

Each recording is made up (recordings.py), and right by construction.
"""
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from import_run import Run, complete, expect, run_tests, says, silent
from recordings import CPU, NORMAL, Dat, Perf, entry_event, exit_event, pages, pairs

EXIT = "kvm_exit: vcpu {} reason CPUID rip 0x1 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0\n"
ENTRY = "kvm_entry: vcpu {}, rip 0x1\n"


def text_of(events):
    return "".join(f"  kvm-{tid}  [{cpu:03d}] d..2. {ts / 1e9:.9f}: "
                   + (EXIT if name == "kvm_exit" else ENTRY).format(fields["vcpu_id"])
                   for ts, cpu, tid, name, fields in events)


def test_info2_of_old_kernels():
    """Before 5.10 info2 of VMX is the interruption information, without an error code."""
    def exits(isa, *events):
        for form in ("perf.data", "trace.dat"):
            without = ("intr_info", "error_code", "vcpu_id")
            made = [entry_event(500, 100, 0)]
            for i, (reason, info2) in enumerate(events):
                made += [exit_event(1000 * i + 1000, 100, 0, reason, isa=isa, info2=info2),
                         entry_event(1000 * i + 1300, 100, 0)]
            if form == "perf.data":
                p = Perf(without=without)
                p.samples(made)
                p.write("x.data")
            else:
                Dat([("", "local", {0: pages(made)})], without=without).write("x.data")
            run = Run("x.data")
            yield f"{form} ({run.words})", run.db.execute(
                "SELECT reason, key, intr_info, info2, flags & 0x200 != 0, flags & 0x400 != 0"
                " FROM exit ORDER BY reason").fetchall()

    for what, got in exits(1, (1, 0x800000ec), (0, 0x80000b0e), (12, 0)):
        expect(what, got, [(0, 14, 0x80000b0e, 0, 1, 0), (1, 0xec, 0x800000ec, 0, 1, 0),
                           (12, None, 0, 0, 0, 0)])
    for what, got in exits(2, (0x400, 0x80001000)):
        expect(what, got, [(0x400, 0x80001000, 0, 0x80001000, 0, 0)])


def test_unknown_rip():
    """A kernel or a text without guest_rip: the RIP is unknown, not 0."""
    Dat([("", "local", {0: pages(pairs(5))})], without=("guest_rip",)).write("x.dat")
    p = Perf(without=("guest_rip",))
    p.samples(pairs(5))
    p.write("x.data")
    open("x.txt", "w").write(text_of(pairs(5)).replace("rip 0x1 info1", "info1"))
    for form in ("x.dat", "x.data", "x.txt"):
        run = complete(form, form, 5)
        expect(f"{form}: RIPs", run.one("SELECT count(*), count(rip) FROM exits"), (5, 0))
    open("x.txt", "w").write(text_of(pairs(5)).replace("rip 0x1 info1", "rip 0x0 info1"))
    expect("RIP 0", complete("RIP 0", "x.txt", 5).one("SELECT DISTINCT rip FROM exits"), "0" * 16)


def test_perf_count_with_periods():
    """perf record -c N: the kernel writes each event where samples have their period."""
    for write in (Perf.write, Perf.write_pipe):
        p = Perf(period=100)
        p.samples(pairs(20), period=1)
        write(p, "x.data")
        silent("-c 100", complete("-c 100", "x.data", 20), "sampled")
        p.sample(exit_event(100000, 100, 0), period=3)  # no kernel so far
        write(p, "x.data")
        expect("-c 100, a period of 3", Run("x.data").counts(), (21, 2, 0))


# A part of the host's CPUs

def moving(count=100):
    """Exits of 300 ns; in each tenth its vCPU goes to the other one of two CPUs."""
    events, cpu = [entry_event(500, 100, 0, 0)], 0
    for i in range(count):
        events.append(exit_event(1000 * i + 1000, 100, 0, cpu=cpu))
        cpu ^= i % 10 == 9
        events.append(entry_event(1000 * i + 1300, 100, 0, cpu=cpu))
    return events


class PerfOf(Perf):
    """Of a host with `online` CPUs; each event is open on `cpus`, a list of (CPU, thread)."""

    def __init__(self, online, command, cpus=(), others=()):
        super().__init__()
        words = b"".join(struct.pack("<I", len(w) + 1) + w.encode() + b"\0" for w in command.split())
        self.features[7] = struct.pack("<II", online, online)
        self.features[11] = struct.pack("<I", len(command.split())) + words
        index = [(self.id("kvm_exit"), cpu, thread) for cpu, thread in cpus]
        index += [(999, cpu, -1) for cpu in others]  # of another event
        if index:
            self.record(69, struct.pack("<Q", len(index)) + b"".join(
                struct.pack("<QQqq", number, 0, cpu, thread) for number, cpu, thread in index))


def test_perf_of_some_cpus():
    """perf record -C: an exit in which a vCPU went away and came back would be a long one."""
    first = [e for e in moving() if e[1] == 0]
    everywhere, cpu_0 = [(0, -1), (1, -1)], [(0, -1)]
    for what, host, events, words in (
            ("-C 0", (2, "perf record -C 0", cpu_0), first, "only CPU 0 of 2 was recorded"),
            ("side-band of all CPUs", (2, "perf record -C 0", cpu_0, (0, 1)), first,
             "only CPU 0 of 2 was recorded"),
            ("the index alone", (2, "perf record", cpu_0), first, "only CPU 0 of 2 was recorded"),
            ("the command alone", (2, "perf record -e kvm:* -C 0"), first,
             "only CPU 0 of 2 was recorded"),
            ("--cpu=0-1,5", (8, "perf record --cpu=0-1,5"), moving(), "only 3 of 8 CPUs were recorded"),
            ("-aC0", (2, "perf record -aC 1"), first, "only CPU 1 of 2 was recorded")):
        for write in (Perf.write, Perf.write_pipe):
            p = PerfOf(*host)
            p.samples(events)
            write(p, "x.data")
            run = Run("x.data")
            says(what, run, f"no durations: {words} (perf record -a")
            says(what, run, "coverage ~")
            exits = sum(e[3] == "kvm_exit" for e in events)
            expect(what, run.one("SELECT count(*), sum(cycles) FROM exit"), (exits, 0))

    for what, host in (("-a", (2, "perf record -a", everywhere)),
                       ("-C 0,1", (2, "perf record -C 0,1", everywhere)),
                       ("-C 0-1 without an index", (2, "perf record -C 0-1")),
                       ("a process", (8, "perf record -p 90", [(-1, 100), (-1, 101)])),
                       ("a process, which -C is ignored with", (2, "perf record -C 0 -p 90")),
                       ("a command with -C", (2, "perf record -a -- make -C 0"))):
        p = PerfOf(*host)
        p.samples(moving())
        p.write("x.data")
        run = complete(what, "x.data", 100)
        silent(what, run, "CPU")
        silent(what, run, "~")


def test_filters():
    """perf record --filter: what it left out is not complete; kvm_entry without one shows it."""
    words = "kvm_exit was recorded with --filter"
    exits = [e for e in pairs(40) if e[3] == "kvm_exit"]
    for what, command, events, hides in (
            ("exits alone", "-a -e kvm:kvm_exit --filter exit_reason==10", exits, True),
            ("in one word", "-a --event=kvm:kvm_exit --filter=exit_reason==10", exits, True),
            ("-ae", "-ae {kvm:kvm_ex*,cycles} --filter exit_reason==10", exits, True),
            ("both", "-a -e kvm:* --filter common_pid==100", pairs(40), True),
            ("kvm_exit, and all of kvm_entry", "-a -e kvm:kvm_exit --filter exit_reason==10 -e kvm:kvm_entry", pairs(40), False),
            ("another event", "-a -e kvm:kvm_exit -e kvm:kvm_msr --filter write==1", exits, False),
            ("of the program", "-a -e kvm:kvm_exit -- grep --filter", exits, False)):
        recorded = ("kvm_exit", "kvm_entry") if events is not exits else ("kvm_exit",)
        p = PerfOf(1, "perf record " + command)
        p.recorded = recorded
        p.samples(events)
        p.write("x.data")
        with open("x.txt", "w") as out:
            out.write(f"# nrcpus online : 1\n# cmdline : /usr/bin/perf record {command} \n" + text_of(events))
        for form in ("x.data", "x.txt"):
            run = Run(form)
            expect(f"{what}, {form} ({run.words})", run.counts(), (40, 0, 0))
            (says if hides else silent)(f"{what}, {form}", run, words)
            (says if hides else silent)(f"{what}, {form}", run, "~0 dropped")


def test_samples_without_cpus():
    p = Perf(sample_type=NORMAL & ~CPU)
    p.samples(pairs(5))
    p.write("x.data")
    says("no CPU", complete("no CPU", "x.data", 5), "it has no CPUs: column pcpu is 0, which stands for unknown")


def test_text_of_some_cpus():
    first = [e for e in moving() if e[1] == 0]
    ftrace = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 9/9   #P:{}\n#\n"
    perf = "# nrcpus online : {}\n# cmdline : /usr/bin/perf record {} -e kvm:*\n"

    def run_of(head, events):
        open("x.txt", "w").write(head + text_of(events))
        return Run("x.txt")

    run = run_of(perf.format(2, "-C 0"), first)
    says("perf script of -C 0", run, "no durations: only CPU 0 of 2 was recorded")
    expect("perf script of -C 0", run.one("SELECT count(*), sum(cycles) FROM exit"), (50, 0))
    for what, head in (("per_cpu/cpu0/trace", ftrace.format(2)), ("report --cpu 0", "cpus=2\n"),
                       ("perf script --cpu 0", perf.format(2, "-a"))):
        run = run_of(head, first)
        says(what, run, "all events are of CPU 0, and the host has 2")
        says(what, run, "0 dropped (coverage ~100 %)")
    for what, head, events in (("two of 64 CPUs", ftrace.format(64), moving()),
                               ("two of 64 CPUs, report", "cpus=64\n", moving()),
                               ("a host of one CPU", ftrace.format(1), first),
                               ("not said", "", first),
                               ("-C 0-1", perf.format(2, "-C 0-1"), moving())):
        run = run_of(head, events)
        silent(what, run, "CPU")
        silent(what, run, "~")

    # Events of another kind show that the other CPU was recorded.
    other = "  x-1  [001] d..2. 0.000000600: sched_switch: x ==> y\n"
    silent("other events", run_of(ftrace.format(2) + other, pairs(5)), "all events are of CPU")


def test_dat_of_one_cpu():
    first = [e for e in moving() if e[1] == 0]
    second = [e for e in moving() if e[1] == 1]

    def run_of(cpus, online):
        d = Dat([("", "local", {cpu: pages(events) for cpu, events in cpus.items()})])
        d.option(8, struct.pack("<I", online))
        d.write("x.dat")
        return Run("x.dat")

    run = run_of({0: first, 1: []}, 2)
    says("-M 1", run, "all events are of CPU 0, and the host has 2")
    says("-M 1", run, "0 dropped (coverage ~100 %)")
    for what, cpus, online in (("two of 64 CPUs", {0: first, 1: second, 2: []}, 64),
                               ("a host of one CPU", {0: first}, 1),
                               ("another event", {0: first, 1: [(600, 1, 7, "other", {})]}, 2)):
        run = run_of(cpus, online)
        silent(what, run, "CPU")
        silent(what, run, "~")


# Losses of records that are not of KVM

class WithSideband(Perf):
    """Its first event also has records of names, mappings and threads, as perf record does."""

    flag = 1 << 9

    def attr(self, name):
        attr = bytearray(super().attr(name))
        flags, = struct.unpack_from("<Q", attr, 40)
        struct.pack_into("<Q", attr, 40, flags | (self.flag if name == self.recorded[0] else 0))
        return bytes(attr)


def test_lost_records_of_other_kinds():
    for bit in (8, 9, 13, 23, 26, 28, 29, 30):
        p = WithSideband()
        p.flag = 1 << bit
        events = pairs(100)
        p.samples([e for e in events if e[0] < 50000])
        p.lost(4, 50000)
        p.samples([e for e in events if e[0] >= 50000])
        p.write("x.data")
        run = Run("x.data")
        expect(f"flag {bit}", run.counts(), (100, 2, 0))
        says(f"flag {bit}", run, "~2 dropped")
        expect(f"flag {bit}", run.one("SELECT n FROM crosscheck WHERE name = 'dropped at most'"), 2)
    p = WithSideband()
    p.samples(pairs(100))
    p.write("x.data")
    silent("nothing lost", complete("nothing lost", "x.data", 100), "~")

    # Linux 6.1 says how many of each event; LOST has the other records, too.
    p = WithSideband()
    p.samples([e for e in pairs(100) if e[0] < 50000])
    p.lost(16, 55000)
    p.samples([e for e in pairs(100) if e[0] >= 55000])
    p.lost_samples("kvm_exit", 5)
    p.lost_samples("kvm_entry", 5)
    p.write("x.data")
    run = Run("x.data")
    expect("LOST_SAMPLES", run.counts(), (95, 5, 0))
    silent("LOST_SAMPLES", run, "~")


# How long the run was

def test_run_of_other_events():
    """Exits in 10 ms of 10 s: the run is all events that were recorded."""
    others = [(i * 10**8, 0, 50, "other", {}) for i in range(1, 101)]
    events = others + pairs(100, start=5 * 10**9, period=10**5, length=300)
    p = Perf(recorded=("kvm_exit", "kvm_entry", "other"))
    p.samples(events)
    p.write("x.data")
    Dat([("", "local", {0: pages(sorted(events, key=lambda e: e[0]))})]).write("x.dat")
    sched = "  x-1  [000] d..2. {:.9f}: sched_switch: x ==> y\n"
    with open("x.txt", "w") as out:
        out.write(sched.format(0.1) + text_of(pairs(100, start=5 * 10**9, period=10**5))
                  + sched.format(10))
    for form in ("x.data", "x.dat", "x.txt"):
        run = complete(form, form, 100)
        expect(form, run.one("SELECT tsc_start, tsc_end FROM run"), (10**8, 10**10))

    # Without these events: by the times that perf notes.
    for times, right in (((100, 10**10), (100, 10**10)), ((0, 0), (500, 100300)),
                         ((10**8, 2**64 - 1), (500, 100300))):
        p = Perf()
        p.samples(pairs(100))
        p.features[21] = struct.pack("<QQ", *times)
        p.write("x.data")
        run = complete(f"times {times}", "x.data", 100)
        expect(f"times {times}", run.one("SELECT tsc_start, tsc_end FROM run"), right)


run_tests(globals())
