#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_text_test.py COLLECTOR ANALYZER: what ftrace, trace-cmd and perf print, and what becomes of it

The texts are made up, in the forms of these programs, and right by construction.
"""
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from import_run import COLLECTOR, Run, expect, refused, run_tests, says, silent
from texts import EXIT, FTRACE, PLAIN, ftrace_text, line, us, write

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
        "no end of another event": plain + b"x-1 [000] 12.9: sched_switch: prev_comm=x",
        "no end of a key": plain + b"kvm-1 [000] 12.9: kvm_msr: msr_read 277 = 0x1",
        "no end of a loss": plain + b"CPU:7 [LOST 0 EVENTS]",
        "no end of a comment": plain + b"# the end",
        "decimal commas": re.sub(rb"(\d)\.(\d{6}:)", rb"\1,\2", plain),
        "zeros after a crash": plain + b"\0" * 5000,
        "zeros before": b"\0" * 512 + b"\n" + plain,
        "colours": plain.replace(b"kvm_exit", b"\033[01;31m\033[Kkvm_exit\033[m\033[K"),
        "an escape at the end of a line": plain.replace(b"\n", b"\033\n", 3),
        "colours of any kind": plain.replace(b"kvm_exit", b"\033[1;38:2::255:0:0mkvm_exit\033[0m"),
        "a link": plain.replace(b"kvm_exit", b"\033]8;;http://x/\033\\kvm_exit\033]8;;\a"),
        "script(1)": b"Script started\r\n\033]0;root@h: ~\a\033[?2004hroot@h:~# cat trace\r\n\033[?2004l\r" + plain.replace(b"\n", b"\r\n"),
        "no-break spaces": plain.replace(b" ", b"\xc2\xa0"),
        "long lines": plain.replace(b"\n", b" " + b"x" * 100000 + b"\n", 2),
        "each line twice": b"".join(line * 2 for line in plain.splitlines(True)),
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
        says(what, run, "~7 dropped")

    # Both events of an exit, the entry of one and the exit after it, and a line without its CPU.
    lines = [text for text in plain.splitlines(True) if "kvm_msr" not in text]
    for what, unread, counts in (("both", {20, 21}, (29, 1)), ("an entry and the next exit", {21, 22}, (28, 2)),
                                 ("half of them", set(range(10, 40)), (15, 15))):
        for form in ("kvm-1 [000]   12.0: ", ""):
            write("".join(form + re.sub("vcpu 0(, rip|)", "v#", text.split(": ", 1)[1]).replace("MSR_READ", "#") if i in unread else text
                          for i, text in enumerate(lines)))
            run = Run("x.txt")
            says(what, run, f"{len(unread)} lines of kvm_exit or kvm_entry could not be read")
            expect(f"{what} ({run.words})", run.counts(), (*counts, 0))
            expect(f"{what}: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"), (100000, 100000))
            says(what, run, "~")


def test_cpus_one_after_the_other():
    """As `cat per_cpu/*/trace` prints them, and more lines of each than are read at once."""
    events = [[], []]
    for i in range(100000):
        cpu = i // 1000 % 2  # the vCPU goes from one to the other
        for at, event in ((2 * i, EXIT.replace("0xfff0", hex(i))), (2 * i + 1, "kvm_entry: vcpu 0, rip 0xfff2")):
            events[cpu].append(line(f"kvm-1 [{cpu:03d}]{10 + at // 10000:5d}.{at % 10000 * 100:06d}", event))
    right("two CPUs", "".join(events[0] + events[1]), comm="kvm", count=100000)
    right("from the last to the first", "".join(reversed(events[1] + events[0])), comm="kvm", count=100000)


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
    ("vcpu 0 reason EXCEPTION_NMI 0x8000000 rip 0x1 info1 0x0 info2 0x0", 1, 0x8000000),
    ("vcpu 0 reason INVALID_STATE FAILED_VMENTRY 0x4000000 rip 0x1 info1 0x0 info2 0x0", 1, 0x84000021),
    ("vcpu 0 reason PREEMPTION_TIMER rip 0x1 info1 0x0 info2 0x0", 1, 52),
    ("vcpu 0 reason PF excp rip 0x1 info1 0x0 info2 0x0", 2, 0x4e),
    ("vcpu 0 reason buslock rip 0x1 info1 0x0 info2 0x0", 2, 0xa5),
    ("vcpu 0 reason idle-halt rip 0x1 info1 0x0 info2 0x0", 2, 0xa6),
    ("vcpu 0 reason TDCALL rip 0x1 info1 0x0 info2 0x0", 1, 77),
    ("vcpu 0 reason MSR_READ_IMM rip 0x1 info1 0x0 info2 0x0 requests 0x4", 1, 84),
    ("reason UNKNOWN (75) rip 0x1 info 0 0", 0, 75),  # a number alone names no vendor
]


def test_reasons():
    for text, isa, number in REASONS:
        open("x.txt", "w").write(line("kvm-1 [000] 1.0", "kvm_entry: vcpu 0") +
                                 line("kvm-1 [000] 1.000001", f"kvm_exit: {text}") +
                                 line("kvm-1 [000] 1.000002", "kvm_entry: vcpu 0"))
        run = Run("x.txt")
        expect(f"{text} ({run.words})", run.one("SELECT isa, reason FROM run, exit"), (isa, number))


def test_bare_info():
    """ "info A B": before 5.10 B is the interruption information; the plugin of trace-cmd and perf
    prints it of newer kernels, too, whose kvm_entry have rip: there it is the vectoring one."""
    def import_exit(entry, reason, b, raw=False):
        rest = f"reason {reason} rip 0x1 info 0 {b}"
        if raw:
            rest = f"exit_reason={reason} guest_rip=0x1 isa=1 info1=0x0 info2={b}"
        text = line("kvm-1 [000] 1.000001", f"kvm_exit: {rest}")
        if entry:
            text = line("kvm-1 [000] 1.0", entry) + text + line("kvm-1 [000] 1.000002", entry)
        open("x.txt", "w").write(text)
        run = Run("x.txt")
        return run.one("SELECT key, intr_info, info2, flags & 0x400 FROM exit")

    old, new = "kvm_entry: vcpu 0", "kvm_entry: vcpu 0 rip 0x1"
    for what, right_values, how in (
            ("old, exception", (14, 0x80000b0e, 0, 0), (old, "EXCEPTION_NMI", "80000b0e")),
            ("old, interrupt", (0xec, 0x800000ec, 0, 0), (old, "EXTERNAL_INTERRUPT", "800000ec")),
            ("new, exception", (None, 0, 0x80000b0e, 0), (new, "EXCEPTION_NMI", "80000b0e")),
            ("new, interrupt", (None, 0, 0, 0), (new, "EXTERNAL_INTERRUPT", "0")),
            ("unknown, exception", (None, 0, 0x80000b0e, 0), (None, "EXCEPTION_NMI", "80000b0e")),
            ("unknown, interrupt", (0xec, 0x800000ec, 0, 0), (None, "EXTERNAL_INTERRUPT", "800000ec")),
            ("AMD", (0x10000, 0, 0x10000, 0), (old, "EXIT_NPF", "10000")),
            ("raw, old", (14, 0x80000b0e, 0, 0), ("kvm_entry: vcpu_id=0", "0", "0x80000b0e", True)),
            ("raw, new", (None, 0, 0x80000b0e, 0),
             ("kvm_entry: vcpu_id=0 rip=0x1", "0", "0x80000b0e intr_info=0x0", True))):
        expect(what, import_exit(*how), right_values)


TABLES = {"tid": "vcpu_thread", "pid": "vm"}


def right(what, text, comm="CPU 0/KVM", count=30, vms=1, vcpus=1, **columns):
    """count exits of 100 us, none lost, nothing unread; columns of its vCPU"""
    write(text)
    run = Run("x.txt")
    expect(f"{what} ({run.words})", (run.shape() or ()) + (run.counts() or ()), (vms, vcpus, count, 0, 0))
    expect(f"{what}: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"), (100000, 100000))
    expect(f"{what}: name", run.one("SELECT comm FROM vm"), comm)
    for column, value in columns.items():
        expect(f"{what}: {column}", run.one(f"SELECT {'tgid' if column == 'pid' else column} FROM {TABLES.get(column, 'vcpu')}"), value)
    silent(what, run, "could not be read")
    return run


def test_line_ends():
    for what, end in (("CR", "\r"), ("CR LF", "\r\n"), ("CR CR LF", "\r\r\n")):
        right(what, PLAIN.replace("\n", end))


def test_what_stands_first():
    """Any length of comments, zeros or other events may stand before the first event of KVM."""
    right("2 MB of comments", "# a comment\n" * 170000 + PLAIN)
    right("2 MB of zeros", b"\0" * 2000000 + b"\n" + PLAIN.encode())
    right("2 MB of others", line("      x-1   [000]   11.000000", "sched_switch: x ==> y") * 40000 + PLAIN)
    for before in range(2**20 - 20, 2**20 + 2):  # the event's name on both sides of 1 MiB
        if before % 7 == 0:
            right(f"{before} bytes", "#" * (before - 1) + "\n" + PLAIN)


def test_names():
    """A thread may be called anything; its line is read all the same, and its name is right."""
    names = ("a [3] b", "x: 12.5: y", "1.0: kvm_entry:", "kvm_exit: vcpu", "foo-12", "(foo)", "foo) (12)", "q 12",
             "[9]", "a:b:c", "CPU 0/KVM", "a/b 1/2", "qemu-system-x86")
    forms = (("{:>16}-100     [003] d..2.", us), ("{:>16}-100     (     90) [003] d..2.", us),
             ("{:>16}-100   [003]", us), ("{:>16}   100 [003] ", us), ("{:>16}    90/100   [003] ", us))
    for name in names:
        for head, times in forms:
            right(f"{head} {name}", ftrace_text(30, head.format(name), times), comm=name, tid=100)
    for unknown in ("<...>-100  [000]", ":100   100 [000]", ":-1   100 [000]"):
        right(unknown, ftrace_text(30, unknown, us), comm=None)


def test_odd_names():
    """Names that look like a line of ftrace's own, next to another vCPU."""
    other = ftrace_text(30, "       CPU 1/KVM-101     [003] d..2.", us).replace("vcpu 0", "vcpu 1").splitlines(True)
    for head in ("       CPU:0 [1]-100     [002] d..2.", "#vm-100     [002] d..2.", "#vm   100 [002] "):
        lines = ftrace_text(30, head, us).splitlines(True)
        write("".join(a + b for a, b in zip(lines, other)))
        run = Run("x.txt")
        expect(f"{head} ({run.words})", run.shape() + run.counts(), (1, 2, 60, 0, 0))
    commented = "".join(f"# {l}" for l in PLAIN.splitlines(True)[3:6]).replace("vcpu 0", "vcpu #")
    right("comments with the names of events", commented + PLAIN)


def test_impossible_numbers():
    """A number that no vCPU, thread or process has is not cut to one that fits: the line can't be read."""
    for what, number in (("vcpu 0", "vcpu 4294967296"), ("vcpu 0", "vcpu 4294967295"), ("KVM-100", "KVM-99999999999"),
                         ("KVM-100", "KVM-4294967396"), ("[003]", "[4294967299]"),
                         ("vcpu 0", "vcpu 0x1"), ("vcpu 0", "vcpu \uff11"), ("vcpu 0", "vcpu -1")):
        lines = PLAIN.splitlines(True)
        write("".join(l.replace(what, number) if 30 <= i < 36 else l for i, l in enumerate(lines)))
        run = Run("x.txt")
        expect(f"{number} ({run.words})", (run.shape() or ()) + (run.counts() or ()), (1, 1, 28, 2, 0))
        says(number, run, "4 lines of kvm_exit or kvm_entry could not be read")
    write(PLAIN[:1000] + PLAIN[1000:].replace("MSR_READ", "4294967344", 3))  # 2^32 + 48
    run = Run("x.txt")
    expect(f"a reason ({run.words})", run.counts() + (run.one("SELECT max(reason) FROM exit"),), (27, 3, 0, 31))
    write(PLAIN.replace("rip 0xfff0", "rip 0x" + "f" * 20))
    expect("a RIP", Run("x.txt").one("SELECT count(*), count(rip) FROM exits"), (30, 0))
    raw = "kvm-1 [000]   12.{:06d}: kvm_exit:  exit_reason=48 guest_rip=0x1 isa=1 vcpu_id={}\n"
    write("".join(raw.format(100 * i, 4294967296 if i == 3 else 1) for i in range(9)))
    run = Run("x.txt")
    expect(f"-R ({run.words})", run.shape() + run.counts(), (1, 1, 8, 1, 0))


def test_process_known_later():
    """ftrace with record-tgid: from some event on it knows the process, and the name."""
    known = ftrace_text(30, "       CPU 0/KVM-100     (     90) [003] d..2.", us).splitlines(True)
    for before in ("       CPU 0/KVM-100     (-----) [003] d..2.", "           <...>-100     (-------) [003] d..2."):
        unknown = ftrace_text(30, before, us).splitlines(True)
        for at in (1, 40, 89):
            right(f"{before} up to {at}", "".join(unknown[:at] + known[at:]), tid=100, pid=90)
        right(f"{before} after", "".join(known[:40] + unknown[40:]), tid=100, pid=90)


def test_forms():
    """Options of the programs that print."""
    lat = lambda n: f"  {n * 100}us "
    marked = lambda n: f"  {n * 100}us+"
    right("trace-cmd report -l", ftrace_text(30, " CPU 0/K-100     3d..2.", us), comm="CPU 0/K", tid=100)
    right("ftrace, latency-format", ftrace_text(30, " CPU 0/K-100     3d..2.", lat), comm="CPU 0/K", tid=100)
    right("ftrace, latency-format, marks", ftrace_text(30, " CPU 0/K-100     3dNh2.", marked), comm="CPU 0/K")
    right("perf script -L", ftrace_text(30, " CPU 0/K   100   3 ", us), comm="CPU 0/K", tid=100)
    for form in ("{:>8} {:>5}/{:<5} {:>3}", "{:>8} {:>7}/{:<7} {:>3}", "{} {:>5}/{:<5} {:>3}"):
        for tgid, tid, cpu in ((90, 100, 3), (90, 123456, 3), (4194303, 4194304, 512)):
            right(f"perf script -L -F pid,tid {tid}", ftrace_text(30, form.format("CPU 0/K", tgid, tid, cpu), us),
                  comm="CPU 0/K", tid=tid, pid=tgid)
    two = (ftrace_text(30, f"vm {p:>5}/{p + 1:<5}   0", us).replace("kvm-", "").splitlines(True) for p in (1000, 2000))
    right("perf script -L, two VMs", "".join(a + b for a, b in zip(*two)), comm="vm", count=60, vms=2, vcpus=2)
    right("perf script -F tid", ftrace_text(30, "  100 ", us), comm=None, tid=100)
    right("perf script -F pid,tid", ftrace_text(30, "   90/100   ", us), comm=None, tid=100)
    right("perf script -F +period", PLAIN.replace(": kvm_", ":          1  kvm:kvm_"))
    right("trace-cmd report --ts-diff", PLAIN.replace(": kvm_", ": (+460)   kvm_"))
    right("grep -n", "".join(f"trace:{i}:{l}\n" for i, l in enumerate(PLAIN.splitlines())))
    count = ftrace_text(30, "       CPU 0/KVM-100   [003]", lambda n: f"{177814117677 + 1000 * n}")
    write(count)
    run = Run("x.txt", "--tsc-khz", "1000000")
    expect(f"twelve digits after the CPU ({run.words})", run.counts(), (30, 0, 0))
    expect("twelve digits: cycles", run.one("SELECT min(cycles), max(cycles) FROM exit"), (1000, 1000))


def test_raw():
    """trace-cmd report -R, and what tools print that can't read "print fmt"."""
    exit_ = "kvm_exit:  exit_reason=124 guest_rip=0xfff0 isa=2 info1=0x1 info2=0x0 intr_info=0x0 error_code=0x0 vcpu_id=2"
    entry = "kvm_entry:  vcpu_id=2 rip=0xfff2 immediate_exit=0"
    for key, text in ((None, "kvm_msr:  write=0 ecx=277 data=0x70406"), ("MSR 0x277 read", "kvm_msr:  write=0 ecx=0x277"),
                      ("MSR 0xc80 read", "kvm_msr:  write=0 ecx=c80 data=1"), ("MSR 0x10 write", "kvm_msr: write=1 ecx=0x10")):
        raw = "".join(line(f"   kvm-100   [003]{us(2 * i)}", exit_) + line(f"   kvm-100   [003]{us(2 * i)}", text)
                      + line(f"   kvm-100   [003]{us(2 * i + 1)}", entry) for i in range(30))
        for what, raw in (("-R", raw), ("failed", raw.replace("kvm_exit:", "kvm_exit: [FAILED TO PARSE]"))):
            run = right(f"{what} {text}", raw, comm="kvm", vcpu_id=2)
            expect(f"{what} {text}", run.one("SELECT isa, reason, rip, key_text FROM run, exits"),
                   (2, 124, "000000000000fff0", key))


def test_fields():
    """ftrace with the option fields: each number as 0x and in brackets."""
    def fields(**values):
        return " ".join(f"{name}={value:#x} ({value})" for name, value in values.items())

    for isa, reason, write, key in ((1, 48, 0, None), (1, 32, 1, "MSR 0x277"), (2, 0x7c, 1, "MSR 0x277 write")):
        text = "".join(
            line(f"       CPU 0/KVM-100     [003] d..2.{us(2 * i)}", "kvm_exit: " + fields(
                exit_reason=reason, guest_rip=0xfff0, isa=isa, info1=0x81, info2=0, intr_info=0, error_code=0, vcpu_id=3))
            + line(f"       CPU 0/KVM-100     [003] d..2.{us(2 * i)}", "kvm_msr: " + fields(write=write, ecx=0x277, data=1))
            + line(f"       CPU 0/KVM-100     [003] d..2.{us(2 * i + 1)}",
                   "kvm_entry: " + fields(vcpu_id=3, rip=0xfff2) + " immediate_exit=(0)") for i in range(30))
        run = right(f"{isa} {reason}", text, vcpu_id=3)
        expect(f"{isa} {reason}", run.one("SELECT isa, reason, rip, key_text FROM run, exits"),
               (isa, reason, "000000000000fff0", key))


def test_instances():
    """trace-cmd report of several instances: an event may be there in each of them."""
    head = "       CPU 0/KVM-100     [003]"
    both = "".join(p + l + "\n" for l in ftrace_text(30, head, us).splitlines() for p in ("     ", "vm1: "))
    right("twice", both, tid=100)
    other = ftrace_text(30, "       CPU 1/KVM-101     [002]", us).replace("vcpu 0", "vcpu 1")
    right("each its own", "".join("vm1: " + l + "\n" for l in PLAIN.splitlines()) +
          "".join(" v2: " + l + "\n" for l in other.splitlines()), count=60, vcpus=2)
    # Each with a filter of its own.
    cpuid = PLAIN.replace("MSR_READ", "CPUID").replace("0xfff0", "0xffa0")
    exits = [l + "\n" for l in PLAIN.splitlines() if "kvm_exit" in l]
    others = [l + "\n" for l in cpuid.splitlines() if "kvm_exit" in l]
    write("".join("vm1: " + l for l in exits[::2]) + "".join(" v2: " + l for l in others[1::2]))
    run = Run("x.txt")
    expect(f"filters ({run.words})", run.counts(), (30, 0, 0))
    expect("filters: reasons", run.db.execute("SELECT reason, count(*) FROM exit GROUP BY 1").fetchall(), [(10, 15), (31, 15)])
    # The instance stands before the line about the loss, not before the event after it.
    later = [l + "\n" for l in ftrace_text(5, head, lambda n: f"   13.{n * 100:06d}").splitlines()]
    text = "".join("vm1: " + l + "\n" for l in ftrace_text(5, head, us).splitlines())
    text += "vm1: CPU:3 [12 EVENTS DROPPED]\n" + later[0] + "".join("vm1: " + l for l in later[1:])
    write(text)
    run = Run("x.txt")
    expect(f"lost in an instance ({run.words})", run.counts()[0::2], (10, 0))
    expect("lost in an instance", 3 <= run.counts()[1] <= 12, True)


def test_not_a_recording():
    """One line that says why, and the way out; never an empty run with status 0."""
    arm = PLAIN.replace("vcpu 0 reason MSR_READ rip 0xfff0", "TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0xffff80001008")
    arm = arm.replace("kvm_entry: vcpu 0, rip 0xfff2", "kvm_entry: PC: 0xffff80001008")
    riscv = PLAIN.replace("vcpu 0 reason MSR_READ", "SEPC:0x80, SCAUSE:0x5,").replace("vcpu 0, rip", "PC:")
    for what, text in (("arm64", arm), ("riscv", riscv)):
        write(text)
        refused(what, "x.txt", "no x86 kvm_exit")
    write(re.sub(r"(kvm_\w*:).*", r"\1 ", PLAIN))
    refused("perf script without trace", "x.txt", "trace)")
    write(re.sub(r"reason \w+", "x", PLAIN))
    refused("no reason", "x.txt", "its kvm_exit can't be read")
    write(ftrace_text(30, "       CPU 0/KVM-100     [003] d..2.", lambda n: f"   0.{100 + n % 2 * 60:06d}"))
    refused("perf script --deltatime", "x.txt", "its times go up and down")
    write(PLAIN)
    refused("seconds, called cycles", "x.txt", "leave --tsc-khz out", "--tsc-khz", "2000000")
    write(PLAIN.replace(": kvm_", ":        100  kvm:kvm_"))
    refused("sampled", "x.txt", "sampled recording")
    header = ("# cmdline : /usr/bin/perf record -a -e kvm:kvm_exit\n# event : name = kvm:{event}, , id = {{ 84, 85 }}, type = 2, size = 128, "
              "config = 0x5c1, {{ sample_period, sample_freq }} = {n}, sample_type = IP|TID|TIME|CPU{period}|RAW, read_format = ID, disabled = 1{freq}\n#\n")
    for what, fields in (("-F 99", dict(n=99, period="|PERIOD", freq=", freq = 1")), ("-F 1", dict(n=1, period="|PERIOD", freq=", freq = 1")),
                         ("-c 10", dict(n=10, period="", freq=""))):
        write(header.format(event="kvm_exit", **fields) + PLAIN.replace(": kvm_", ": kvm:kvm_"))
        refused(f"sampled with {what}, by the header", "x.txt", "sampled recording")
        write(header.format(event="kvm_msr", **fields) + PLAIN.replace(": kvm_", ": kvm:kvm_"))
        expect(f"another event with {what}", Run("x.txt").counts(), (30, 0, 0))
    for what, fields in (("-c 10 with periods", dict(n=10, period="|PERIOD", freq="")), ("each", dict(n=1, period="", freq=""))):
        write(header.format(event="kvm_exit", **fields) + PLAIN.replace(": kvm_", ": kvm:kvm_"))
        expect(f"all of them: {what}", Run("x.txt").counts(), (30, 0, 0))
    for name in ("utf-16", "utf-16-le", "utf-16-be"):
        for text in (PLAIN, "   0x4ffffffd 0x72: eax=0x00000035 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"):
            write(text.encode(name))
            refused(name, "x.txt", "iconv -f UTF-16")
    for magic, way in ((b"\x1f\x8b\x08", "gunzip"), (b"\xfd7zXZ\0", "unxz"), (b"\x28\xb5\x2f\xfd", "unzstd"),
                       (b"\x04\x22\x4d\x18", "unlz4"), (b"PK\3\4", "unzip"), (b"\x5d\0\0\x80", "unlzma"),
                       (b"\x50\x2a\x4d\x18", "unzstd"), (b"\x02\x21\x4c\x18", "unlz4"), (b"\xff\6\0\0sNaPpY", "snzip -d"),
                       (b"!<arch>\n", "ar x"), (b"070701", "cpio -i"), (b"x.dat".ljust(257, b"\0") + b"ustar\0" + b"00", "tar -xf")):
        write(magic + bytes(100))
        refused(way, "x.txt", f"unpack it first: {way})")
    write(b"SQLite format 3\0" + bytes(100))
    refused("a database", "x.txt", "is a database")
    write(b"\0KVEXCAP" + bytes(100))
    refused("a capture", "x.txt", "collector --from x.txt")
    os.mkfifo("x.pipe")  # which nobody writes to
    refused("a pipe", "x.pipe", "is not a regular file")
    os.mkdir("x.folder")
    refused("a folder", "x.folder", "perf script -i x.folder")


def test_made_up_while_read():
    """A file of tracefs or procfs has another text each time it is read: refused, with the way out."""
    process = subprocess.Popen(["sleep", "60"], env={"TRACE": PLAIN})
    refused("a file of procfs", f"/proc/{process.pid}/environ", f"cat /proc/{process.pid}/environ > FILE")
    process.kill()
    process.wait()


def test_without_events_of_kvm():
    for what, text in (("no event", FTRACE.format(present=0, written=0)),
                       ("others", FTRACE.format(present=1, written=1) + "  x-1  [001] d..2.  1.000001: sched_switch: prev_comm=x\n")):
        write(text)
        refused(what, "x.txt", "is a text of ftrace without events of KVM (echo 1 > ")


def test_link_to_nothing():
    """The folder is there: the words must not say that it is missing."""
    write(PLAIN)
    os.symlink("nothing", "link.sqlite")
    done = subprocess.run([COLLECTOR, "import", "x.txt", "--db", "link.sqlite"], stderr=subprocess.PIPE, text=True)
    expect("a link to nothing", (done.returncode, "symbolic link" in done.stderr), (1, True))


def test_locked():
    """A program that writes the database and doesn't end."""
    write(PLAIN)
    expect("locked: the first run", Run("x.txt").status, 0)
    other = sqlite3.connect("x.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    done = subprocess.run([COLLECTOR, "import", "x.txt", "--db", "x.sqlite"], stderr=subprocess.PIPE, text=True)
    other.execute("ROLLBACK")
    expect("locked", (done.returncode, "another program has a transaction" in done.stderr), (1, True))
    expect("locked: runs", other.execute("SELECT count(*) FROM run").fetchone()[0], 1)


def test_quiet_loss():
    """perf script leaves lost events out unless it is asked for them: the note says so."""
    lines = [l for i, l in enumerate(PLAIN.splitlines(True)) if i not in (30, 31, 32, 33)]
    write("".join(lines))
    says("an exit is missing", Run("x.txt"), "perf script without --show-lost-events")


def test_read_twice():
    """Once for what the whole text shows, once for its records."""
    write("".join(PLAIN.replace(" 12.", f" {12 + i}.") for i in range(2000)))

    def bytes_read():  # by programs that have ended, too
        return int(re.search(r"rchar: (\d+)", open("/proc/self/io").read()).group(1))

    before = bytes_read()
    run = Run("x.txt")
    expect(f"counts ({run.words})", run.counts(), (60000, 0, 0))
    times = (bytes_read() - before) / os.path.getsize("x.txt")
    expect(f"read {times} times", 2 <= times < 2.8, True)


def test_written_meanwhile():
    """A text that another program writes to: what stood there at first, soon. One that becomes shorter: all, or a line."""
    whole = "".join(PLAIN.replace(" 12.", f" {12 + i}.") for i in range(1000))
    write(whole)
    start = time.monotonic()
    Run("x.txt")
    seconds = max(20, 20 * (time.monotonic() - start))
    done = threading.Event()

    def append():
        with open("x.txt", "ab", buffering=0) as out:
            for i in range(1000, 10**6):
                if done.is_set():
                    return
                out.write(PLAIN.replace(" 12.", f" {12 + i}.").encode())

    writer = threading.Thread(target=append)
    writer.start()
    timer = threading.Timer(seconds, done.set)
    timer.start()
    run = Run("x.txt")
    expect("it ends before the writer does", done.is_set(), False)
    done.set()
    timer.cancel()
    writer.join()
    if "cut off at byte" in run.words:  # it was opened while a line was written
        run.db = sqlite3.connect("x.sqlite")
    expect(f"growing ({run.words})", run.counts()[0] >= 30000, True)
    expect("growing: all within the run", run.one("SELECT max(tsc) <= tsc_end FROM exit, run"), 1)

    for i in range(12):
        write(whole)
        shorten = threading.Timer(0.03 * i, os.truncate, ("x.txt", 100000))
        shorten.start()
        run = Run("x.txt")
        shorten.join()
        if "cut off at byte 100000" in run.words:  # before it was opened
            continue
        expect(f"shortened ({run.words})", run.status or run.counts()[0] == 30000, True)
        if run.status:
            says("shortened", run, "has become shorter while it was read")


run_tests(globals())
