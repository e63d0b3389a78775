#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""known_test.py ANALYZER RECORDED LOSSES SMP FLIGHT - what is not known is said, and where all is known nothing is

RECORDED has run "kept" with the rows of its end, FLIGHT has rows around events alone, LOSSES dropped records.
"""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ANALYZER, RECORDED, LOSSES, SMP, FLIGHT = sys.argv[1:6]
MISSING = "the true counts are higher"


def analyzer(database, *words):
    done = subprocess.run([ANALYZER, "--db", database, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def gap():
    """Begin and end, in ns, of the longest time in which records are missing, and the end of the last such time."""
    with sqlite3.connect(f"file:{LOSSES}?immutable=1", uri=True) as database:
        times = database.execute("SELECT before_ns, after_ns FROM losses WHERE run = 1 AND after_ns NOT NULL").fetchall()
    return (*max(times, key=lambda t: t[1] - t[0]), max(t[1] for t in times))


class Known(unittest.TestCase):
    def test_losses_of_the_window(self):
        begin, end, last = gap()
        inside = ("--from", f"{begin}ns", "--to", f"{end}ns")
        after = ("--from", f"{last + 1000}ns")
        for command in ("top-exits", "latency", "timeline"):
            self.assertIn(MISSING, analyzer(LOSSES, command, "--from", f"{begin // 2}ns")[1])
            self.assertNotIn(MISSING, analyzer(LOSSES, command, *after)[1])
        self.assertIn("UNKNOWN", analyzer(LOSSES, "states", *inside)[1])
        self.assertNotIn("UNKNOWN", analyzer(LOSSES, "states", *after)[1])
        self.assertIn("Records are missing", analyzer(LOSSES, "findings", "--from", f"{begin // 2}ns")[1])
        self.assertNotIn("Records are missing", analyzer(LOSSES, "findings", *after)[1])

    def test_keys_of_kept_rows(self):
        for database, run in ((RECORDED, ("--run", "kept")), (FLIGHT, ())):
            text = re.sub(r"\s+", " ", analyzer(database, "explain", "IO_INSTRUCTION", *run)[1])
            rows = json.loads(analyzer(database, "explain", "IO_INSTRUCTION", *run, "--format", "json")[1])["reasons"][0]
            self.assertLess(rows["rows"], rows["exits"])
            self.assertIn(f"about: of the {rows['rows']:,} that have rows: port", text)
            self.assertNotIn("of those alone", text)
        self.assertRegex(analyzer(RECORDED, "explain", "IO_INSTRUCTION", "--run", "ept")[1], "about: +port")

    def test_phases(self):
        """Whether a vCPU was halted decides between "idle" and "load"."""
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(SMP, os.path.join(folder, "smp.sqlite"))
            os.chmod(path, 0o600)
            with sqlite3.connect(path) as database:
                database.execute("UPDATE run SET has_split = 0")
            database.close()
            for of, wanted in ((SMP, r"boot|load|idle|none"), (path, r"unknown|none")):
                phases = json.loads(analyzer(of, "timeline", "--format", "json")[1])["phases"]
                self.assertGreater(len({p["phase"] for p in phases} - {"none"}), 0)
                for phase in phases:
                    self.assertRegex(phase["phase"], wanted)

    def test_ipis(self):
        none = "No IPI left an exit"
        self.assertIn(none, analyzer(RECORDED, "ipi", "--run", "ept")[1])
        for words in (("--from", "12.1s"), ("--vcpu", "1", "--from", "12.1s")):
            self.assertNotIn(none, analyzer(SMP, "ipi", *words)[1])
        note = "Only vCPUs that pass --vm and --vcpu count as receivers."
        self.assertIn(note, analyzer(SMP, "ipi", "--vcpu", "1")[1])
        self.assertNotIn(note, analyzer(SMP, "ipi")[1])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
