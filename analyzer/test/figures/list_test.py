#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""list_test.py ANALYZER FIXTURE - list and export --format folded show the rows, all and in order"""
import collections
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

ANALYZER, FIXTURE = sys.argv[1:3]
PARTS = {"handler": "handler_cycles", "halted": "halted_cycles", "user space": "userspace_cycles",
         "waiting for a CPU": "preempted_cycles"}


class ListTest(unittest.TestCase):
    def setUp(self):
        self.path = os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), "list.sqlite")
        shutil.copyfile(FIXTURE, self.path)
        os.chmod(self.path, 0o644)
        self.db = sqlite3.connect(self.path)
        self.addCleanup(self.db.close)

    def analyzer(self, *words):
        done = subprocess.run([ANALYZER, "--db", self.path, *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def rows(self, *words):
        return json.loads(self.analyzer("list", "--run", "1", "--format", "json", "--cycles", *words))["rows"]

    def test_rows_in_order_of_time(self):
        for words, where in (((), "1"), (("--vcpu", "1"), "vcpu_id = 1"), (("--vm", "fc-7"), "vm = 2"),
                             (("--reason", "!HLT,!48"), "basic_reason NOT IN (12, 48)"),
                             (("--from", "200ms", "--to", "300ms"), "time_ns >= 200000000 AND time_ns < 300000000")):
            wanted = self.db.execute(f"SELECT time_ns, vm, vcpu_id, seq, cycles, halted_cycles FROM exits WHERE run = 1"
                                     f" AND {where} ORDER BY tsc, id").fetchall()
            got = [(round(float(r["seconds"]) * 1e9), r["vm"], r["vcpu"], r["seq"], r["time_cycles"], r["halted_cycles"])
                   for r in self.rows("--limit", "0", *words)]
            self.assertEqual(got, wanted, words)
            self.assertEqual(len(self.rows(*words)), min(50, len(wanted)))

    def test_clock_has_all_digits(self):
        row = self.rows("--limit", "1")[0]
        ns, = self.db.execute("SELECT 1700000000000000000 + min(time_ns) FROM exits WHERE run = 1").fetchone()
        self.assertTrue(row["clock"].startswith("2023-11-14T22:13:20."))
        self.assertEqual(int(row["clock"][20:29]), ns % 1000000000)
        self.db.execute("UPDATE run SET started_ns = 0")
        self.db.commit()
        self.assertIsNone(self.rows("--limit", "1")[0]["clock"])

    def test_folded_is_all_time(self):
        sums = collections.Counter()
        for line in self.analyzer("export", "--run", "1", "--format", "folded").splitlines():
            stack, ns = line.rsplit(" ", 1)
            frames = stack.split(";")
            self.assertIn(frames[0], ("VM web-1", "VM fc-7"))
            sums[frames[-1]] += int(ns)
        for part, column in PARTS.items():
            cycles, = self.db.execute(f"SELECT sum({column}) FROM exits WHERE run = 1").fetchone()
            self.assertAlmostEqual(sums[part], cycles / 2, delta=2000, msg=part)

    def test_folded_frames_hold_no_separator(self):
        self.db.execute("UPDATE vm_identity SET name = 'a;b\nc\x1b[1m' WHERE vm = 1")
        self.db.execute("UPDATE exit SET cr3 = 0x1000 WHERE vcpu = 1")
        self.db.commit()
        out = self.analyzer("export", "--run", "1", "--vm", "1", "--format", "folded")
        for line in out.splitlines():
            self.assertRegex(line, r"^VM a:b\?c\?\[1m;(CR3 0000000000001000;)?[A-Z0-9_]+;([^;]+;)?[a-zA-Z ]+ [0-9]+$")
        self.assertIn(";CR3 0000000000001000;", out)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
