#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""missing_test.py ANALYZER RECORDED LOSSES SMP - what exits that are missing, or were filtered out, leave unknown

LOSSES is run "ept" of RECORDED with losses, SMP the boot of a VM whose second vCPU comes late.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ANALYZER, RECORDED, LOSSES, SMP = sys.argv[1:5]
LATE = "(SELECT max(id) FROM vcpu)"
NO_NAMES = "DELETE FROM vm_identity;"
# After the run began, and before it.
BORN = "INSERT OR REPLACE INTO vm_identity (vm, name, name_source, started_ns) SELECT 1, 'a', 'comm', started_ns {} FROM run;"


def analyzer(path, *words, status=0):
    done = subprocess.run([ANALYZER, "--db", path, *words], capture_output=True, text=True, check=False)
    if done.returncode != status:
        raise AssertionError(f"{words}: status {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


class Missing(unittest.TestCase):
    def setUp(self):
        # pylint: disable=consider-using-with
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def changed(self, original, sql):
        path = shutil.copy(original, os.path.join(self.folder.name, "changed.sqlite"))
        os.chmod(path, 0o600)
        database = sqlite3.connect(path)
        database.executescript(sql)
        database.close()
        return path

    def lived(self, sql):
        """How long the run was, and the late vCPU lived, in ns."""
        out = json.loads(analyzer(self.changed(SMP, sql), "top-exits", "--by", "vcpu", "--format", "json"))
        late, = (row for row in out["rows"] if row["vcpu"] == 1)
        self.assertAlmostEqual(late["per_s"], late["exits"] * 1e9 / late["lived_ns"], delta=1)
        return out["run"]["duration_ns"], late["lived_ns"], out["run"]["unread"]

    def test_a_life_begins_with_the_first_exit_where_that_is_known(self):
        length, late, unread = self.lived("")
        self.assertLess(late, 0.9 * length)
        self.assertIsNotNone(unread)
        lost = f"UPDATE vcpu SET dropped = 5 WHERE id = {LATE}; INSERT INTO loss VALUES ({LATE}, 0, 5, NULL, 0);"
        for sql, is_known in ((lost, True), (f"UPDATE vcpu SET filtered = 1 WHERE id = {LATE};", True),
                              ("UPDATE run SET source = 'bpf';" + NO_NAMES, False),
                              ("UPDATE run SET source = 'bpf';" + BORN.format("- 2000000000"), False),
                              ("UPDATE run SET source = 'text';" + NO_NAMES, False)):
            with self.subTest(sql):
                length, whole, unread = self.lived(sql)
                self.assertGreater(whole, 0.99 * length)
                self.assertEqual(unread is not None, is_known)
        for born in ("+ 1", "- 990000000"):  # known to a second
            self.assertEqual(self.lived("UPDATE run SET source = 'bpf';" + BORN.format(born))[1], late)

    def test_a_life_ends_with_the_last_exit_where_that_is_known(self):
        ended = f"UPDATE vcpu SET ended = 1 WHERE id = {LATE}; UPDATE run SET tsc_end = tsc_end + 5000000000;"
        length, early, _ = self.lived(ended)
        self.assertLess(early, 0.9 * length)
        lost = f"UPDATE vcpu SET dropped = 5 WHERE id = {LATE}; INSERT INTO loss VALUES ({LATE}, 1000000, 5, 0, NULL);"
        self.assertGreater(self.lived(ended + lost)[1], early)

    def test_filtered_exits_are_unknown_time(self):
        """Also in a window, where KVM's totals say nothing."""
        path = self.changed(SMP, "UPDATE vcpu SET filtered = 1000; DELETE FROM crosscheck;")
        for words in ((), ("--from", "2s", "--to", "3s")):
            rows = json.loads(analyzer(path, "states", "--by", "vcpu", "--format", "json", *words))["rows"]
            self.assertEqual({row["unknown"] for row in rows}, {None})
            self.assertIn("Exits are missing", analyzer(path, "states", *words))
            self.assertIn("exits were filtered out while recording", analyzer(path, "top-exits", *words))

    def test_no_verdict_that_a_filter_explains(self):
        path = self.changed(SMP, "UPDATE vcpu SET filtered = 100 * recorded;")
        words = ("--fail-on", "rate=20%", "--format", "json")
        self.assertEqual({row["change"] for row in json.loads(analyzer(path, "compare", f"{SMP}:1", "1", *words[2:]))["rows"]
                          if row["exits_a"] > 100}, {"~"})
        analyzer(path, "compare", f"{SMP}:1", "1", *words, status=3)
        # Where KVM's totals say of which reason they were, the others have their verdict.
        known = ("INSERT INTO crosscheck (run_id, vcpu, source, name, reason, n)"
                 " SELECT 1, id, 'totals_filtered', 'exits', 12, filtered FROM vcpu;")
        path = self.changed(SMP, "UPDATE vcpu SET filtered = 100 * recorded;" + known)
        analyzer(path, "compare", f"{SMP}:1", "1", *words, "--reason", "!HLT")
        analyzer(path, "compare", f"{SMP}:1", "1", *words, "--reason", "HLT", status=3)

    def test_losses_of_a_window(self):
        """A window with one loss in it, and one that begins within it."""
        with sqlite3.connect(f"file:{LOSSES}?immutable=1", uri=True) as database:
            begin, end, n = database.execute("SELECT before_ns, after_ns, n FROM losses WHERE after_ns NOT NULL ORDER BY n DESC").fetchone()
        for low, high, least in ((begin - 1, end + 1000, n), ((begin + end) // 2, end + 1000, 0)):
            words = ("--from", f"{low}ns", "--to", f"{high}ns")
            run = json.loads(analyzer(LOSSES, "top-exits", *words, "--format", "json"))["run"]
            self.assertEqual((run["window_dropped_least"], run["window_dropped_most"]), (least, n))
            said = f"{n:,}" if least else f"0 to {n:,}"
            self.assertIn(f"In this window {said} exits were dropped", analyzer(LOSSES, "top-exits", *words))
            exits = sum(row["exits"] for row in json.loads(analyzer(LOSSES, "top-exits", *words, "--limit", "0", "--format", "json"))["rows"])
            self.assertIn(f"{100 * n / (n + exits):.1f} % of the exits were dropped", analyzer(LOSSES, "findings", *words))

    def test_nothing_is_known_of_a_gap(self):
        """An even process with a gap of a quarter of its time, in timeline, its phases and rates, and on the page."""
        path = self.changed(LOSSES, "DELETE FROM loss; DELETE FROM crosscheck;"
                            "CREATE TEMP TABLE cut AS SELECT min(exit.rowid) AS first, max(exit.rowid) AS last, count(*) AS n,"
                            " min(seq) AS seq, min(tsc) AS begin, max(tsc) AS end FROM exit, run"
                            " WHERE tsc BETWEEN tsc_start + (tsc_end - tsc_start) / 4 AND tsc_start + (tsc_end - tsc_start) / 2;"
                            "INSERT INTO loss SELECT 1, seq, n, (SELECT max(tsc) FROM exit WHERE rowid < first),"
                            " (SELECT min(tsc) FROM exit WHERE rowid > last) FROM cut;"
                            "DELETE FROM exit WHERE rowid BETWEEN (SELECT first FROM cut) AND (SELECT last FROM cut);"
                            "UPDATE vcpu SET dropped = (SELECT n FROM cut), recorded = (SELECT count(*) FROM exit);"
                            "DELETE FROM exit_rollup_coarse; DELETE FROM exit_rollup WHERE first_tsc BETWEEN (SELECT begin FROM cut)"
                            " AND (SELECT end FROM cut);")
        out = json.loads(analyzer(path, "timeline", "--limit", "40", "--format", "json"))
        inside = [b for b in out["timeline"] if b["exits"] is None]
        self.assertGreater(len(inside), 5)
        for b in inside:
            self.assertEqual({b[name] for name in ("per_s", "time_ns", "busy_of_vcpu", "halted_of_vcpu", "top_reason")}, {None})
        unknown = [p for p in out["phases"] if p["phase"] == "unknown"]
        self.assertTrue(unknown)
        self.assertIn((None, None, None), {(p["exits"], p["per_s"], p["busy_of_vcpu"]) for p in unknown})
        self.assertEqual({r["rate"] for r in out["reasons"]}, {"unknown"})
        page = os.path.join(self.folder.name, "page.html")
        analyzer(path, "report", "--html", page)
        with open(page, encoding="utf-8") as file:
            self.assertRegex(file.read(), r"unknown 100(\.0)? ?%")

    def test_a_window_without_losses_has_verdicts(self):
        with sqlite3.connect(f"file:{LOSSES}?immutable=1", uri=True) as database:
            last, = database.execute("SELECT max(after_ns) FROM losses").fetchone()
            first, = database.execute("SELECT min(before_ns) FROM losses").fetchone()
        words = ("compare", "1", f"{RECORDED}:ept", "--fail-on", "rate=20%")
        analyzer(LOSSES, *words, "--from", f"{last + 1000}ns")
        analyzer(LOSSES, *words, "--from", f"{first}ns", "--to", f"{last + 1000}ns", "--reason", "MSR_READ", status=3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
