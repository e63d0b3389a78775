#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""flight_test.py ANALYZER DATABASE WHOLE - a recording with collector --trigger

DATABASE is the recording WHOLE (run ept) with the triggers of testdata/BUILD. Sums are of all
exits, single exits those around the events, and every result says so.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

ANALYZER, DATABASE, WHOLE = map(os.path.abspath, sys.argv[1:4])
BEFORE, AFTER = 100, 20


def run(*words, status=0):
    done = subprocess.run([ANALYZER, *words], capture_output=True, text=True, check=False)
    if done.returncode != status:
        raise AssertionError(f"{words}: {done.returncode}: {done.stderr}")
    return done.stdout


def analyzer(path, *words, status=0):
    return run("--db", path, *words, status=status)


def read(path, *words):
    return json.loads(analyzer(path, *words, "--format", "json"))


class FlightTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        whole = sqlite3.connect(f"file:{WHOLE}?immutable=1", uri=True)
        exits = whole.execute("SELECT ns - halted_ns > 5000000 OR reason_name = 'CR_ACCESS' FROM exits"
                              " WHERE run = 1 ORDER BY seq").fetchall()
        whole.close()
        cls.events = [i for i, (event,) in enumerate(exits) if event]
        cls.wanted = sorted({i for e in cls.events for i in range(e - BEFORE, e + AFTER + 1) if 0 <= i < len(exits)})
        cls.exits = len(exits)

    def test_rows_are_those_around_events(self):
        db = sqlite3.connect(f"file:{DATABASE}?immutable=1", uri=True)
        self.assertEqual([seq for seq, in db.execute("SELECT seq FROM exits ORDER BY seq")], self.wanted)
        named = dict(db.execute("SELECT name, n FROM crosscheck WHERE source = 'trigger' AND vcpu IS NULL"))
        self.assertEqual(named["rows"], len(self.wanted))
        self.assertEqual(sum(n for name, n in named.items() if name.startswith("expression ")), len(self.events))
        db.close()

    def test_sums_are_of_all(self):
        for words in (["top-exits"], ["latency"], ["top-exits", "--by", "vcpu"]):
            self.assertEqual(read(DATABASE, *words)["rows"], read(WHOLE, *words, "--run", "ept")["rows"], words)
        run = read(DATABASE, "top-exits")["run"]
        self.assertEqual((run["recorded"], run["coverage"]), (self.exits, 1))
        self.assertEqual((run["events"], run["kept_rows"]), (len(self.events), len(self.wanted)))

    def test_what_is_of_rows_alone_says_so(self):
        for words in (["top-exits", "--by", "subkey"], ["top-exits", "--exact"], ["list"], ["slowest"], ["sequences"],
                      ["latency", "--exact"]):
            text = analyzer(DATABASE, *words)
            self.assertIn(f"Single exits are kept around {len(self.events)} events only, {len(self.wanted):,} of"
                          f" {self.exits:,} (collector --trigger): what is shown here is of those alone.", text, words)
        self.assertIn("sums by reason, VM and vCPU are of all.", analyzer(DATABASE, "states"))
        self.assertEqual(read(DATABASE, "top-exits", "--exact")["total"][0]["exits"], len(self.wanted))

    def test_window_is_exact_for_rows(self):
        rows = read(DATABASE, "list", "--from", "1.05s", "--to", "3.01s", "--limit", "0")["rows"]
        times = [float(row["seconds"]) for row in rows]
        db = sqlite3.connect(f"file:{DATABASE}?immutable=1", uri=True)
        count, = db.execute("SELECT count(*) FROM exits WHERE time_ns >= 1050000000 AND time_ns < 3010000000").fetchone()
        db.close()
        self.assertEqual(len(rows), count)
        self.assertTrue(1.05 <= min(times) and max(times) < 3.01)
        csv = analyzer(DATABASE, "export", "--format", "csv", "--from", "1.05s", "--to", "3.01s")
        self.assertEqual(len(csv.splitlines()) - 1, count)

    def test_no_rule_about_shares_of_keys(self):
        """The shares of ports and pages among kept exits are not those among all."""
        self.assertEqual(read(DATABASE, "findings")["findings"], [])
        self.assertIn("not all single exits were kept", analyzer(DATABASE, "findings"))

    def test_verify_runs_and_page(self):
        analyzer(DATABASE, "verify")
        self.assertEqual(read(DATABASE, "runs")["runs"][0]["raw"], "events")
        page = os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), "flight.html")
        analyzer(DATABASE, "report", "--html", page)
        with open(page, encoding="utf-8") as file:
            self.assertIn("Single exits around events only.", file.read())

    def test_compact_copy_and_cut_off_run(self):
        folder = os.environ.get("TEST_TMPDIR", "/tmp")
        copy, cut = os.path.join(folder, "compact.sqlite"), os.path.join(folder, "cut.sqlite")
        run("compact", DATABASE, copy)
        self.assertEqual(analyzer(copy, "list", "--limit", "0"), analyzer(DATABASE, "list", "--limit", "0"))

        shutil.copyfile(DATABASE, cut)
        os.chmod(cut, 0o600)
        db = sqlite3.connect(cut)
        db.execute("DELETE FROM crosscheck WHERE source = 'trigger'")
        db.commit()
        db.close()
        self.assertIn("Single exits are kept around events only", analyzer(cut, "list"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
