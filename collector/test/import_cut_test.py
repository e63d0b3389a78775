#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""import_cut_test.py COLLECTOR ANALYZER: texts and lines that are cut off, and what becomes of them"""
import os
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from import_run import COLLECTOR, Run, expect, refused, run_tests, says, silent
from texts import EXIT, PLAIN, line, us, write

def test_cut_off():
    """Anywhere within its last line: that line is not used, and the text is said to be cut off."""
    def cut(text, at):
        write(text[:at])
        done = subprocess.run([COLLECTOR, "import", "x.txt", "--db", "cut.sqlite"], stderr=subprocess.PIPE, text=True)
        counts = sqlite3.connect("cut.sqlite").execute(
            "SELECT group_concat(vcpu_id), sum(recorded), sum(dropped), sum(open_exits) FROM vcpu").fetchone()
        os.remove("cut.sqlite")
        return done, counts

    begin = "".join(l for l in PLAIN.splitlines(True) if "kvm_msr" not in l).replace("vcpu 0", "vcpu 12")
    end_exit = line(f"       CPU 0/KVM-100     [003] d..2.{us(60)}", EXIT.replace("vcpu 0", "vcpu 12"))
    end_entry = line(f"       CPU 0/KVM-100     [003] d..2.{us(60)}", "kvm_entry: vcpu 12, rip 0xfff2")
    for last, whole in ((end_exit, end_exit.index("error_code 0") + 11), (end_entry, end_entry.index("rip 0x"))):
        for at in range(8, whole):
            done, counts = cut(begin + last, len(begin) + at)
            expect(f"cut at {last[:at]!r}: {done.stderr}", (done.returncode, counts), (1, ("12", 30, 0, 0)))
            expect(f"cut at {at}: says so", f"cut off at byte {len(begin) + at};" in done.stderr, True)
    done, counts = cut(begin + end_exit, len(begin + end_exit) - 1)
    expect(f"an end of line alone is missing: {done.stderr}", (done.returncode, counts), (0, ("12", 30, 0, 1)))


def test_cut_off_within_a_number():
    """A shorter number than all others is cut; where widths differ, an exit's last number is unknown and a vCPU's is not used."""
    def events(exit_, entry, count=20):
        return "".join(line(f"       CPU 0/KVM-100     [003] d..2.{us(2 * i)}", exit_.format(*fields(i))) +
                       line(f"       CPU 0/KVM-100     [003] d..2.{us(2 * i + 1)}", entry.format(*fields(i))) for i in range(count))

    def cut(text, bytes_):
        write(text[:-bytes_])
        done = subprocess.run([COLLECTOR, "import", "x.txt", "--db", "cut.sqlite"], stderr=subprocess.PIPE, text=True)
        db = sqlite3.connect("cut.sqlite")
        got = db.execute("SELECT group_concat(vcpu_id), sum(recorded), sum(open_exits) FROM vcpu").fetchone()
        last = db.execute("SELECT info2, key FROM exit ORDER BY tsc DESC LIMIT 1").fetchone()
        os.remove("cut.sqlite")
        return done.returncode, "cut off at byte" in done.stderr, got, last

    # One width: an entry's, an exit's.
    fields = lambda i: (i,)
    wide = ("kvm_exit: vcpu 12 reason MSR_READ rip 0xfff0 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x{:08x}", "kvm_entry: vcpu 12, rip 0x{:08x}")
    text = events(*wide)
    for bytes_ in (2, 5, 9):
        expect(f"an entry, {bytes_} bytes", cut(text, bytes_)[:3], (1, True, ("12", 19, 1)))
    expect("an entry, the end of line", cut(text, 1)[:3], (0, False, ("12", 20, 0)))
    other = events(wide[0].replace("vcpu 12", "vcpu 1"), "kvm_entry: vcpu 1").replace("-100 ", "-101 ").replace("[003]", "[002]")
    text = other + events(wide[0], "kvm_entry: vcpu 12")
    expect("a vCPU's number", cut(text, 2)[:3], (1, True, ("1,12", 39, 1)))

    # Exits of several widths: their last number is info2, of which a nested page fault has its key.
    fields = lambda i: (0x1000 << 4 * (i % 3),)
    for form in ("kvm_exit: vcpu 12 reason npf rip 0xfff0 info1 0x6 info2 {:#x}", "kvm_exit: vcpu 12 reason npf rip 0xfff0 info 6 {:x}",
                 "kvm_exit: vcpu_id=12 exit_reason=1024 guest_rip=0xfff0 isa=2 info1=0x6 info2={:#x}"):
        text = events(form, "kvm_entry: vcpu 12, rip 0x1", 22)
        last = text.splitlines(True)
        for bytes_ in (1, 2, 3):
            rc, is_cut, got, _ = cut("".join(last[:-1]), bytes_)
            expect(f"{form} {bytes_}", (rc, is_cut, got), (0, False, ("12", 21, 1)))
    alone = "".join(l for l in events("kvm_exit: vcpu 12 reason npf rip 0xfff0 info1 0x6 info2 {:#x}", "", 21).splitlines(True) if "kvm_exit" in l)
    expect("its key", cut(alone, 2), (0, False, ("12", 21, 0), (0, None)))


def test_lines_without_ends():
    """Other separators, or a text within JSON: the events of such a line are lost events, never one of them."""
    for what, end in (("JSON", "\\n"), ("U+2028", "\u2028"), ("blanks", " ")):
        write(PLAIN.replace("\n", end) + "\n")
        refused(what, "x.txt", "its lines have several events each")
        lines = PLAIN.splitlines(True)
        write("".join(lines[:30] + [l.replace("\n", end) for l in lines[30:36]] + ["\n"] + lines[36:]))
        run = Run("x.txt")
        says(what, run, "1 line of kvm_exit or kvm_entry could not be read")
        says(what, run, "~")
        expect(f"{what} ({run.words})", (run.counts()[0], run.one("SELECT max(cycles) FROM exit")), (28, 100000))


def test_cut_at_a_column():
    """cut -c, or a terminal: a part of a number is not that number."""
    head = f"       CPU 0/KVM-100     [003] d..2.{us(0)}"
    new = EXIT.replace("0xfff0", "0xffffffff81061234").replace("info2 0x0", "info2 0x0000000080001000").replace("MSR_READ", "npf")
    old = "kvm_exit: reason EXIT_NPF rip 0xffffffff81061234 info 6 80001000"
    words = "20 lines of kvm_exit end before their last fields"

    def cut(event, after):
        at = len(head + ": ") + event.index(after) + len(after)
        events = [line(head.replace(us(0), us(i)), event if i % 2 else "kvm_entry: vcpu 0, rip 0xfff2") for i in range(43)]
        write("".join(l if l.endswith("0xfff2\n") or i < 2 else l[:at].rstrip("\n") + "\n" for i, l in enumerate(events)))
        run = Run("x.txt")
        return run, run.one("SELECT count(*), min(rip), max(rip), min(key), max(key) FROM (SELECT * FROM exits ORDER BY tsc DESC LIMIT 20)")

    rip = "ffffffff81061234"
    for what, event, after, right_values in (
            ("the RIP", new, "rip 0xffff", (20, None, None, None, None)), ("after it", new, "rip 0xffffffff81061234", (20, None, None, None, None)),
            ("info1", new, "info1 0x", (20, rip, rip, None, None)), ("the key", new, "info2 0x00000000800", (20, rip, rip, None, None)),
            ("intr_info", new, "intr_", (20, rip, rip, 0x80001000, 0x80001000)), ("info of the plugin", old, "info 6", (20, rip, rip, None, None))):
        run, got = cut(event, after)
        expect(f"{what} ({run.words})", got, right_values)
        says(what, run, words)
    run, _ = cut(new, "reason npf")
    says("the reason", run, "20 lines of kvm_exit or kvm_entry could not be read")
    expect(f"the reason ({run.words})", run.counts()[:2], (1, 20))
    for what, event in (("whole", new), ("whole, of the plugin", old)):
        run, got = cut(event, "000")
        write("".join(line(head.replace(us(0), us(i)), event if i % 2 else "kvm_entry: vcpu 0, rip 0xfff2") for i in range(43)))
        run = Run("x.txt")
        silent(what, run, "end before their last fields")
        expect(what, run.one("SELECT min(rip), min(key) FROM exits"), (rip, 0x80001000))


run_tests(globals())
