#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_trace_test.py COLLECTOR ANALYZER: trace.dat files of trace-cmd, and text of ftrace, trace-cmd and perf

The recordings are made up (recordings.py), and right by construction.
"""
import os
import re
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
        survives_damage(open("x.dat", "rb").read(), "x.dat", 127)


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


EXIT = ("kvm_exit: vcpu 0 reason MSR_READ rip 0xfff0 info1 0x0 info2 0x0 intr_info 0x0 "
        "error_code 0x0")


def ftrace_text(count, head, times):
    text = ""
    for i in range(count):
        text += line(head + times(2 * i), EXIT)
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
        expect(f"{what} ({run.words})", (run.shape() or ()) + (run.counts() or ()),
               (1, 1, 30, 0, 0))
        expect(f"{what}: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"),
               (100000, 100000))
        expect(f"{what}: key", run.one("SELECT key_text, rip FROM exits"),
               ("MSR 0x277", "000000000000fff0"))
        expect(f"{what}: name", run.one("SELECT comm FROM vm"), "CPU 0/KVM")
        expect(f"{what}: process", run.one("SELECT tgid FROM vm"), 90 if "90" in head else 0)

    open("x.txt",
         "w").write(FTRACE.format(present=90, written=150) + ftrace_text(30, "kvm-1 [000] ", us))
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


def test_copied_text():
    """What editors, mail, terminals and crashes make of a text changes no figure of it."""
    plain = ftrace_text(30, "       CPU 0/KVM-100     [003] d..2.",
                        lambda n: f"   12.{n * 100:06d}").encode()
    copies = {
        "CRLF": plain.replace(b"\n", b"\r\n"),
        "BOM": b"\xef\xbb\xbf" + plain,
        "tabs": re.sub(rb" +", b"\t", plain),
        "single blanks": re.sub(rb" +", b" ", plain),
        "quoted": b"> " + plain.replace(b"\n", b"\n> "),
        "empty lines": plain.replace(b"\n", b"\n\n"),
        "no end": plain.rstrip(b"\n"),
        "decimal commas": re.sub(rb"(\d)\.(\d{6}:)", rb"\1,\2", plain),
        "zeros after a crash": plain + b"\0" * 5000,
        "zeros before": b"\0" * 512 + b"\n" + plain,
        "colours": plain.replace(b"kvm_exit", b"\033[01;31m\033[Kkvm_exit\033[m\033[K"),
        "long lines": plain.replace(b"\n", b" " + b"x" * 100000 + b"\n", 2),
        "reversed": b"\n".join(reversed(plain.split(b"\n"))),
    }
    for what, text in copies.items():
        open("x.txt", "wb").write(text)
        run = Run("x.txt")
        expect(f"{what} ({run.words})", (run.shape() or ()) + (run.counts() or ()),
               (1, 1, 30, 0, 0))
        expect(f"{what}: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"),
               (100000, 100000))
        silent(what, run, "could not be read")


def test_lines_that_cannot_be_read():
    """Their exits are counted as dropped, and said to be missing."""
    plain = ftrace_text(30, "kvm-1 [000] ", lambda n: f"   12.{n * 100:06d}")
    exits_alone = "".join(text for text in plain.splitlines(True) if "kvm_entry" not in text)
    for what, text, damaged in (("unknown reasons", plain, "reason NEW_NAME"),
                                ("zeros", plain, "reaso\0\0\0\0\0_READ"),
                                ("of exits alone", exits_alone, "reason NEW_NAME")):
        middle = len(text) // 2
        open("x.txt",
             "w").write(text[:middle] + text[middle:].replace("reason MSR_READ", damaged, 7))
        run = Run("x.txt")
        says(what, run, "7 lines of kvm_exit or kvm_entry could not be read")
        expect(f"{what} ({run.words})", run.counts(), (23, 7, 0))


def test_impossible_times():
    """Past 2^63 ns they are not times: durations would wrap around."""
    for seconds in ("9223372037", "18446744073", "99999999999999999999"):
        open("x.txt",
             "w").write(ftrace_text(5, "kvm-1 [000] ", lambda n: f" {seconds}.{n * 100:06d}"))
        refused(seconds, "x.txt", "no line of it is an event of KVM")
    open("x.txt", "w").write(ftrace_text(5, "kvm-1 [000] ", lambda n: f" 9223372035.{n * 100:06d}"))
    expect("just possible", Run("x.txt").counts(), (5, 0, 0))


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


run_tests(globals())
