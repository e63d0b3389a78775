#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""baseline_test.py ANALYZER RECORDED - analyzer baseline against references whose costs are known"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

ANALYZER, RECORDED = map(os.path.abspath, sys.argv[1:3])


class BaselineTest(unittest.TestCase):
    def reference(self, sql=""):
        """A copy of the recording as a reference, changed by @sql."""
        path = os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), "reference.sqlite")
        shutil.copyfile(RECORDED, path)
        os.chmod(path, 0o600)
        db = sqlite3.connect(path)
        db.executescript(sql)
        db.close()
        return path + ":1"

    def read(self, *words):
        done = subprocess.run([ANALYZER, "--db", RECORDED, "baseline", "--run", "1", "--format", "json", *words],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_itself(self):
        got = self.read("ept")
        for row in got["rows"]:
            if row["exits"] >= 100:
                self.assertEqual((row["times"], row["verdict"]), (1, "alike"))
                self.assertLess(row["above_ns"], 1)
            else:
                self.assertEqual((row["times"], row["above_ns"], row["verdict"]), (None, None, "too few"))
        self.assertFalse(any("Another" in note for note in got["notes"]))

    def test_other_frequency(self):
        """The same cycles of a TSC that runs twice as fast are half the time; and the machine is named."""
        got = self.read(self.reference("UPDATE run SET tsc_khz = 2 * tsc_khz, cpu_model = 'B'"))
        for row in got["rows"]:
            if row["exits"] >= 100:
                self.assertEqual((row["times"], row["verdict"]), (2, "slower"))
                own = sqlite3.connect(f"file:{RECORDED}?immutable=1", uri=True).execute(
                    "SELECT sum(handler_ns) FROM exits WHERE run = 1 AND basic_reason = ?", (row["reason"],)).fetchone()[0]
                self.assertAlmostEqual(row["above_ns"] / own, 0.5, delta=0.001)
        self.assertTrue(any(note.startswith("Another CPU: ") and note.endswith('reference: "B".') for note in got["notes"]))
        faster = self.read(self.reference("UPDATE run SET tsc_khz = tsc_khz / 2"))
        self.assertEqual({row["verdict"] for row in faster["rows"] if row["exits"] >= 100}, {"faster"})

    def test_reasons_without_reference(self):
        row, = [row for row in self.read("shadow")["rows"] if row["name"] == "EPT_VIOLATION"]
        self.assertEqual((row["verdict"], row["reference_exits"]), ("no reference", 0))

    def test_without_the_parts_of_the_time(self):
        """Then it is the whole time of exits that counts, with the percentiles that latency shows."""
        got = self.read(self.reference("UPDATE run SET has_split = 0"))
        self.assertTrue(any("from exit to entry" in note for note in got["notes"]))
        done = subprocess.run([ANALYZER, "--db", RECORDED, "latency", "--run", "1", "--format", "json"],
                              capture_output=True, text=True, check=True)
        shown = {row["name"]: (row["p50_ns"], row["p99_ns"]) for row in json.loads(done.stdout)["rows"]}
        self.assertEqual({row["name"]: (row["p50_ns"], row["p99_ns"]) for row in got["rows"]}, shown)

    def test_filter_is_of_this_run_alone(self):
        path = self.reference("UPDATE vcpu SET vcpu_id = 7; UPDATE vm SET tgid = 99")
        rows = self.read(path, "--vcpu", "0", "--reason", "CPUID")["rows"]
        self.assertEqual([(row["name"], row["times"]) for row in rows], [("CPUID", 1)])

    def test_refused(self):
        for words, text in (([], "against what"), (["99"], "no run 99"), (["ept", "shadow"], "too many words"),
                            ([self.reference("UPDATE run SET isa = 2")], "VMX, the other of SVM")):
            done = subprocess.run([ANALYZER, "--db", RECORDED, "baseline", "--run", "1", *words], capture_output=True,
                                  text=True, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1), done.stderr)
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
