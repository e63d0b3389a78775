#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""ipi_test.py ANALYZER RECORDED - analyzer ipi on exits whose delays are known

The rows of run ept are replaced by made-up ones of three vCPUs; all times are cycles.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import terminal  # noqa: E402 pylint: disable=wrong-import-position

ANALYZER, RECORDED = map(os.path.abspath, sys.argv[1:3])
ICR, VALUE, EVENT, HALTED, KEY = 0x830, 0x8000, 0x20000, 0x40, 0x800
VALID = 1 << 31
LOGICAL, NMI, START_UP, OTHERS, ALL, SELF = 1 << 11, 4 << 8, 6 << 8, 3 << 18, 2 << 18, 1 << 18


class IpiTest(unittest.TestCase):
    def setUp(self):
        self.path = os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), "ipi.sqlite")
        shutil.copyfile(RECORDED, self.path)
        os.chmod(self.path, 0o600)
        self.db = sqlite3.connect(self.path)
        self.addCleanup(self.db.close)
        (self.vm, first), = self.db.execute("SELECT vm_id, id FROM vcpu WHERE id = (SELECT min(id) FROM vcpu)")
        self.db.execute("DELETE FROM exit")
        self.start, = self.db.execute("SELECT tsc_start FROM run WHERE id = 1").fetchone()
        self.vcpus = [first]
        for vcpu in (1, 2, 17):
            self.vcpus.append(self.db.execute("INSERT INTO vcpu (vm_id, vcpu_id, ring_id) VALUES (?, ?, ?)",
                                              (self.vm, vcpu, 100 + vcpu)).lastrowid)
        self.seq = 0

    def exit(self, vcpu, at, cycles, reason, flags=0, halted=0, wait=0, key=None, aux=0, value=None, event=None, qual=0):
        self.seq += 1
        self.db.execute("INSERT INTO exit (vcpu, seq, tsc, reason, flags, cycles, halted_cycles, userspace_cycles,"
                        " preempted_cycles, rip, key, key_aux, qualification, info2, intr_info, error_code, user_reason,"
                        " pcpu, value, entry_event) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, 0, ?, ?, ?, 0, 0, 0, 0, 0, ?, ?)",
                        (self.vcpus[vcpu], self.seq, self.start + at, reason,
                         flags | (KEY if key is not None else 0) | (EVENT if event is not None else 0) | (HALTED if halted else 0),
                         cycles, halted, wait, key, aux if key is not None else None, qual, value,
                         None if event is None else event | VALID))

    def send(self, vcpu, at, low, dest=0, cycles=10):
        self.exit(vcpu, at, cycles, 32, VALUE, key=ICR, value=(dest << 32 | low) - (dest >> 31 << 64))

    def halt(self, vcpu, at, cycles, wait=0, event=None):
        self.exit(vcpu, at, cycles, 12, halted=cycles - wait - 2, wait=wait, event=event)

    def read(self, *words):
        self.db.commit()
        done = subprocess.run([ANALYZER, "--db", self.path, "ipi", "--run", "1", "--format", "json", "--cycles", *words],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def group(self, vector, how="x2APIC ICR"):
        row, = [row for row in self.read()["ipis"] if (row["how"], row["vector"]) == (how, vector)]
        return row

    def test_halted_receiver_with_injection(self):
        self.halt(1, 1000, 500, event=0xfd)
        self.send(0, 1200, 0xfd, dest=1)
        row = self.group("0xfd")
        self.assertEqual((row["sent"], row["receivers"], row["halted"], row["halted_max_cycles"]), (1, 1, 1, 300))
        self.assertEqual((row["running"], row["unseen"], row["cost_cycles"], row["meaning"]), (0, 0, 10, "reschedule"))

    def test_halted_receiver_of_a_posted_interrupt(self):
        self.halt(1, 1000, 500)
        self.send(0, 1200, 0xfd, dest=1)
        self.send(2, 1300, 0xfc, dest=1)  # the entry brings both, but only one woke it
        self.assertEqual(self.group("0xfd")["halted_max_cycles"], 300)
        self.assertEqual(self.group("0xfc")["unseen"], 1)

    def test_running_receiver(self):
        self.exit(1, 900, 50, 1)  # has entered again before the IPI is sent
        self.send(0, 1000, 0xfb, dest=1)
        self.exit(1, 1040, 60, 1, event=0xec)  # another vector comes first
        self.exit(1, 1200, 30, 1, event=0xfb)
        self.exit(1, 1300, 30, 1, event=0xfb)  # whose, nobody knows
        row = self.group("0xfb")
        self.assertEqual((row["running"], row["running_max_cycles"], row["halted"], row["unseen"]), (1, 230, 0, 0))

    def test_receivers(self):
        for low, dest, receivers, own in ((0x31, 2, 1, 0), (0x32 | OTHERS, 0, 3, 0), (0x33 | ALL, 0, 3, 1), (0x34 | SELF, 0, 0, 1),
                                          (0x35, 0xffffffff, 3, 1), (0x36 | LOGICAL, 0b111, 2, 1),
                                          (0x37 | LOGICAL, 1 << 16 | 0b10, 1, 0), (0x38, 99, 0, 0), (NMI, 1, 1, 0)):
            self.send(0, 1000 + low % 256, low, dest=dest)
            row = self.group("NMI" if low == NMI else f"{low & 0xff:#x}")
            self.assertEqual((row["receivers"], row["self"], row["unseen"]), (receivers, own, receivers), hex(low))
        before = len(self.read()["ipis"])
        self.send(0, 2000, 0x99 | START_UP, dest=1)
        self.assertEqual(len(self.read()["ipis"]), before)

    def test_other_vms_are_no_receivers(self):
        other = self.db.execute("INSERT INTO vm (run_id, kvm_vm_id, tgid) VALUES (1, 77, 77)").lastrowid
        self.db.execute("UPDATE vcpu SET vm_id = ? WHERE id = ?", (other, self.vcpus[1]))
        self.send(0, 1000, 0x31 | OTHERS)
        self.assertEqual(self.group("0x31")["receivers"], 2)

    def test_joined_and_taken_by_a_halt(self):
        for at in (1000, 1010):
            self.send(0, at, 0xfd, dest=1)
        self.assertEqual((self.group("0xfd")["joined"], self.group("0xfd")["unseen"]), (1, 1))
        self.halt(1, 1100, 50)  # it halts, so nothing waits
        self.exit(1, 1300, 10, 1, event=0xfd)
        self.assertEqual((self.group("0xfd")["running"], self.group("0xfd")["unseen"]), (0, 1))

    def test_nmi(self):
        self.halt(1, 1000, 500, event=2 << 8 | 2)
        self.send(0, 1200, NMI | 2, dest=1)
        self.assertEqual(self.group("NMI")["halted_max_cycles"], 300)

    def test_without_value(self):
        self.exit(0, 1000, 40, 56, qual=0x300)
        self.exit(0, 1100, 40, 56, qual=0x310)  # not the half that sends
        self.exit(0, 1200, 30, 18, key=10)
        self.exit(0, 1300, 20, 32, key=ICR)
        for how, cost in (("xAPIC ICR", 40), ("KVM_HC_SEND_IPI", 30), ("x2APIC ICR", 20)):
            row = self.group(None, how)
            self.assertEqual((row["sent"], row["cost_cycles"], row["receivers"]), (1, cost, None))
        for words, said in (((), True), (("--table", "wakes"), False)):
            self.assertEqual(any("only what sending cost" in note for note in self.read(*words)["notes"]), said, words)

    def test_wakes(self):
        self.halt(1, 1000, 500, wait=100)
        self.halt(1, 2000, 300)
        self.halt(2, 2500, 700, wait=40)
        rows = {row["vcpu"]: row for row in self.read()["wakes"]}
        self.assertEqual((rows[1]["halts"], rows[1]["waits"], rows[1]["wait_max_cycles"]), (2, 1, 100))
        self.assertEqual(rows[1]["halted_cycles"], 398 + 298)
        self.assertEqual((rows[2]["halts"], rows[2]["waits"], rows[2]["wait_max_cycles"]), (1, 1, 40))
        for words, said in (((), True), (("--table", "ipis"), True), (("--table", "wakes"), False)):
            self.assertEqual(any("No IPI left an exit" in note for note in self.read(*words)["notes"]), said, words)

    def test_quantiles_are_no_longer_than_the_longest(self):
        """Of one value, which is below the middle of its bucket, they are this value."""
        self.halt(1, 1000, 65537 + 4097 + 2, wait=4097, event=0xfd)
        self.send(0, 70636 - 16385, 0xfd, dest=1, cycles=2049)
        self.exit(2, 60000, 2003, 1, event=0xfb)
        self.send(0, 62003 - 4097, 0xfb, dest=2)
        got = self.read()
        rows = {row["vector"]: row for row in got["ipis"]}
        wake, = got["wakes"]
        self.assertEqual(rows["0xfd"]["cost_p50_cycles"], 2049)
        for row, name, cycles in ((rows["0xfd"], "halted", 16385), (rows["0xfb"], "running", 4097), (wake, "wait", 4097)):
            self.assertEqual([row[f"{name}_{part}_cycles"] for part in ("p50", "p99", "max")], [cycles] * 3)
        self.assertEqual(wake["halted_p50_cycles"], 65537)

    def test_fits_a_terminal(self):
        for i in range(1000):
            at = i * 1_000_000
            self.halt(1, at, 500_000 + i, wait=5000 + i, event=0xfd)
            self.send(0, at + 100_000, 0xfd, dest=1)
            self.send(0, at + 600_000, 0xfb, dest=2)
            self.exit(2, at + 610_000 + i, 900, 1, event=0xfb)
        self.db.commit()
        table = terminal.table_lines(terminal.show(ANALYZER, "--db", self.path, "ipi", "--run", "1"))
        self.assertGreater(len(table), 4)
        self.assertEqual([line for line in table if len(line) > terminal.COLUMNS], [])

    def test_svm(self):
        self.db.execute("UPDATE run SET isa = 2 WHERE id = 1")
        self.exit(0, 1000, 10, 0x7c, VALUE, key=ICR, aux=1, value=1 << 32 | 0xfd)
        self.exit(0, 1100, 10, 0x7c, key=ICR, aux=0)  # a read
        self.exit(0, 1200, 10, 0x401)
        self.halt(1, 900, 500)
        self.assertEqual(self.group("0xfd")["halted_max_cycles"], 400)
        self.assertEqual(self.group(None, "AVIC incomplete")["sent"], 1)

    def test_refused(self):
        done = subprocess.run([ANALYZER, "--db", self.path, "ipi", "--reason", "HLT"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
