#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""compare_sides_test.py ANALYZER RECORDED LOSSES - compare of runs that don't know the same

Copies of a recorded boot, from which something is taken away: single exits, the parts of the time,
durations. Whichever side lacks it, compare says what is unknown, and of which side a note is; the
windows of both are the same; and a limit of --fail-on that nothing is known of does not pass.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ANALYZER, RECORDED, LOSSES = sys.argv[1:4]
EPT, SHADOW = "1", "2"


class Sides(unittest.TestCase):
    def setUp(self):
        # pylint: disable=consider-using-with
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def copy(self, *statements):
        path = os.path.join(self.folder.name, "copy.sqlite")
        shutil.copy(RECORDED, path)
        os.chmod(path, 0o600)
        with sqlite3.connect(path) as db:
            for statement in statements:
                db.execute(statement)
        db.close()
        return path

    def compare(self, a, b, *words, status=0):
        done = subprocess.run([ANALYZER, "--db", RECORDED, "compare", a, b, *words, "--format", "json"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def both_ways(self, other, *words, status=0):
        """Compared with run 1, and the other way round: the side that knows, the one that doesn't, and the answer."""
        yield "a", "b", self.compare(EPT, other, *words, status=status)
        yield "b", "a", self.compare(other, EPT, *words, status=status)

    def test_what_a_source_does_not_know_is_no_value(self):
        for knows, lacks, got in self.both_ways(self.copy("UPDATE run SET has_split = 0 WHERE id > 0") + ":1"):
            for row in got["rows"] + got["total"]:
                self.assertIsNotNone(row["busy_of_vcpu_" + knows])
                self.assertIsNone(row["busy_of_vcpu_" + lacks])
                self.assertEqual(row["p50_a_ns"], row["p50_b_ns"])

    def untimed(self):
        return self.copy("INSERT INTO crosscheck (run_id, vcpu, source, name, n) SELECT 1, NULL, 'trace', 'untimed', 1") + ":1"

    def test_a_run_without_durations_has_no_times(self):
        for knows, lacks, got in self.both_ways(self.untimed()):
            for row in got["rows"] + got["total"]:
                for column in ("busy_of_vcpu_{}", "p50_{}_ns", "p99_{}_ns", "handler_{}_ns"):
                    self.assertIsNotNone(row[column.format(knows)], column)
                    self.assertIsNone(row[column.format(lacks)], column)

    def test_limits_of_unknown_times_are_open(self):
        for _, _, got in self.both_ways(self.untimed(), "--fail-on", "p50=50%", status=3):
            self.assertEqual(got["gate"], "open")
            # IO_INSTRUCTION has exits on both sides; DR_ACCESS one on each, which says nothing.
            fails = {r["name"]: r["fails"] for r in got["rows"]}
            self.assertEqual((fails["IO_INSTRUCTION"], fails["DR_ACCESS"]), ("open:p50", None))

    def test_a_difference_that_cannot_be_judged_is_open(self):
        """CR_ACCESS: 7 exits in A, 17,635 in B that take 54 % longer. DR_ACCESS, MSR_READ: as long in both."""
        got = self.compare(EPT, SHADOW, "--fail-on", "p50=+10%", status=3)
        self.assertEqual({r["name"]: r["fails"] for r in got["rows"] if r["fails"]}, {"CR_ACCESS": "open:p50"})
        self.compare(EPT, SHADOW, "--fail-on", "p50=-10%")
        self.compare(EPT, SHADOW, "--fail-on", "p50=+60%")
        self.compare(EPT, EPT, "--fail-on", "p50=10%,p99=10%")

    def test_both_have_the_same_window(self):
        sums = self.copy("UPDATE run SET has_raw = 0 WHERE id > 0") + ":1"
        for _, lacks, got in self.both_ways(sums, "--from", "1.95s", "--to", "2.95s"):
            wide = {"from_ns": 1000000000, "to_ns": 3000000000, "as_asked": False}
            self.assertEqual((got["a"]["window"], got["b"]["window"]), (wide, wide), lacks)
            for row in got["rows"] + got["total"]:
                self.assertEqual(row["exits_a"], row["exits_b"], row)
                self.assertEqual(row["ratio"], 1)
        for words in (["--from", "0.3s", "--to", "20s"], ["--to", "0.7s"], ["--from", "13.2s"]):
            got = self.compare(EPT, sums, *words)
            self.assertEqual(got["a"]["window"], got["b"]["window"])
        # Two with rows have the window that was asked for.
        got = self.compare(EPT, SHADOW, "--from", "1.95s", "--to", "2.95s")
        self.assertEqual(got["b"]["window"], {"from_ns": 1950000000, "to_ns": 2950000000, "as_asked": True})

    def test_notes_say_of_which_run_they_are(self):
        copy = self.copy("UPDATE run SET has_split = 0, environment = 'hardware' WHERE id > 0")
        split = "Source capture does not split"
        emulated = "Emulated machine: times"
        cases = [(EPT, copy + ":1", ["A: " + emulated, "B: " + split]), (copy + ":1", EPT, ["B: " + emulated, "A: " + split]),
                 (copy + ":1", copy + ":2", ["A and B: " + split]), (EPT, LOSSES, ["A and B: " + emulated, "B: Counts and rates"])]
        for a, b, wanted in cases:
            notes = self.compare(a, b)["notes"]
            for start in wanted:
                self.assertEqual(sum(n.startswith(start) for n in notes), 1, (start, notes))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
