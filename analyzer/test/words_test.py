#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""words_test.py ANALYZER DATABASE - figures and words that must not mislead

What is near a limit: durations of a few cycles, a median of one exit, rates that are nearly
nothing, names that are mistyped.
"""
import collections
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ANALYZER, DATABASE = (os.path.abspath(p) for p in sys.argv[1:3])


def run(path, *words):
    return subprocess.run([ANALYZER, "--db", path, *words], capture_output=True, text=True, check=False)


def tables(path, *words):
    return json.loads(run(path, *words, "--format", "json", "--cycles").stdout)


class WordsTest(unittest.TestCase):
    @contextlib.contextmanager
    def changed(self, sql):
        """A copy of the database, changed by @sql."""
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(DATABASE, os.path.join(folder, "run.sqlite"))
            os.chmod(path, 0o600)
            with contextlib.closing(sqlite3.connect(path)) as db:
                db.executescript(sql)
            yield path

    def test_histogram_of_short_exits(self):
        """Below 64 cycles a row has less than an eighth of its power of two."""
        for most in (3, 70, 200, 1000):
            with self.changed("UPDATE exit SET halted_cycles = 0, userspace_cycles = 0, preempted_cycles = 0,"
                              f" cycles = seq % {most}") as path:
                with contextlib.closing(sqlite3.connect(path)) as db:
                    cycles = [c for c, in db.execute("SELECT cycles FROM exits WHERE run = 1")]
                rows = tables(path, "histogram", "--exact", "--run", "1")["rows"]
                self.assertEqual(sum(r["exits"] for r in rows), len(cycles))
                for row in rows:
                    low, high = row["from_cycles"], row["to_cycles"]
                    self.assertLess(low, high)
                    self.assertEqual(row["exits"], sum(low <= c < high for c in cycles), (most, row))

    def test_percentiles_of_one(self):
        """The median of one pair, burst or halt is that one, and none is above the longest."""
        found = tables(DATABASE, "sequences", "--run", "1", "--limit", "0")
        for name, count, whole, parts in (("pairs", "pairs", "guest_time_cycles", ("guest_p50_cycles", "guest_p99_cycles")),
                                          ("wakes", "wakes", "halted_time_cycles", ("halted_p50_cycles", "halted_p99_cycles"))):
            ones = [r for r in found[name] if r[count] == 1]
            for row in ones:
                self.assertEqual([row[p] for p in parts], [row[whole]] * 2, row)
        self.assertTrue([r for r in found["pairs"] if r["pairs"] == 1])
        for row in found["bursts"]:
            self.assertLessEqual(row["length_p50_cycles"], row["length_max_cycles"])

    def test_a_little_is_not_nothing(self):
        with self.changed("UPDATE run SET tsc_end = tsc_start + 2000000000000000") as path:
            rates = collections.Counter(line.split()[2] for line in run(
                path, "top-exits", "--run", "1", "--columns", "reason,exits,per_s").stdout.splitlines()[3:] if line[:1] == " ")
            self.assertGreater(rates["<0.01"], 3, rates)
            self.assertNotIn("0.00", rates)

    def test_names_that_are_not_there(self):
        for words, wanted in (
                (["top-exits", "--columns", "reason,exist"], "--columns exist: no such column (did you mean exits?)"),
                (["top-exits", "--columns", "exits,nonsense"], "--columns nonsense: no such column (--format csv names all)"),
                (["timeline", "--columns", "start,exits,frist"], "--columns frist: no such column (did you mean first?)"),
                (["top-exits", "--vm", "wbe-1"], "run 1: no such VM: --vm wbe-1 (did you mean web-1?)"),
                (["top-exits", "--vm", "mail"], "run 1: no such VM: --vm mail (analyzer runs --vcpus lists them)"),
                (["top-exits", "--vm", "web-1", "--vcpu", "7"], "run 1: no such vCPU: --vm web-1 --vcpu 7"),
                (["explain", "HTL"], "explain HTL: no such exit reason of VMX (did you mean HLT?)"),
                (["explain", ","], "explain ,: no reason in it"),
                (["explain", "--reason", "HLT"], "--reason: explain takes reasons as words (analyzer explain HLT)"),
                (["explain", "--run", "empty"], 'run 3 "empty": no exit was recorded'),
                (["findings", "--run", "empty"], 'run 3 "empty": no exit was recorded'),
                (["baseline", "empty"], 'run 3 "empty" of'),
                (["top-exits", "--run", "shadwo"], "no run shadwo (did you mean shadow?)"),
                (["top-exits", "--reason", "!"], "--reason !: a '!' without a reason (as in '!HLT')"),
                (["top-exits", "--to", "0"], "--to must be after the start of the run, 0")):
            done = run(DATABASE, *words, *([] if "--run" in words else ["--run", "1"]))
            self.assertIn(wanted, done.stderr)
            self.assertEqual(done.returncode, 1, words)
        # A column that one of several tables has.
        for columns in ("start,first,exits", "start_ns,exits"):
            done = run(DATABASE, "timeline", "--run", "1", "--columns", columns)
            self.assertEqual((done.returncode, done.stderr), (0, ""), columns)

    def test_columns_that_the_total_does_not_have(self):
        found = tables(DATABASE, "top-exits", "--run", "1", "--columns", "name")
        self.assertEqual(set().union(*found["rows"]), {"name"})
        self.assertEqual(found["total"], [{}])

    def test_options_before_the_command(self):
        words = ["--run", "1", "--format", "csv", "--cycles", "--gap", "5us"]
        before, after = run(DATABASE, *words, "sequences"), run(DATABASE, "sequences", *words)
        self.assertEqual((before.returncode, before.stdout), (0, after.stdout), before.stderr)
        for words, wanted in ((["--run", "top-exits"], "--run: unknown option"), (["--cycles", "nonsense"], "nonsense: no such command"),
                              (["--gap", "5us", "latency"], "--gap: unknown option (analyzer latency --help)")):
            done = run(DATABASE, *words)
            self.assertEqual((done.returncode, done.stdout), (1, ""), words)
            self.assertIn(wanted, done.stderr)

    def test_no_query(self):
        for words in (["sql"], ["sql", ""], ["sql", " -- nothing"], ["sql", ";"]):
            done = subprocess.run([ANALYZER, "--db", DATABASE, *words], stdin=subprocess.DEVNULL, capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (1, b"", b"analyzer: sql: no query (analyzer sql --help)\n"), words)

    def test_counts_are_of_the_vcpus_shown(self):
        """Coverage and the counts that it is made of have one base, in each format."""
        with self.changed("UPDATE vcpu SET unread = 10 * id, filtered = id, dropped = dropped + id") as path:
            with contextlib.closing(sqlite3.connect(path)) as db:
                vms = db.execute("SELECT vm, sum(recorded), sum(dropped), sum(filtered), sum(unread) FROM coverage"
                                 " WHERE run = 1 GROUP BY vm").fetchall()
            self.assertGreater(len(vms), 1)
            for vm, *counts in vms:
                words = ["top-exits", "--run", "1", "--vm", str(vm)]
                found = tables(path, *words)["run"]
                self.assertEqual([found[n] for n in ("recorded", "dropped", "filtered", "unread")], counts)
                self.assertAlmostEqual(found["coverage"], counts[0] / (counts[0] + counts[1]), 9)
                text = "({:,} recorded, {:,} dropped, {:,} filtered out; {:,} unread before".format(*counts)
                self.assertIn(text, run(path, *words).stdout)
        self.assertIn("coverage in the whole run: ", run(DATABASE, "top-exits", "--run", "1", "--from", "500ms").stdout)

    def test_a_vcpu_that_never_ran(self):
        """One that was created and had no exit has no life: neither guest time, nor a part of its VM's."""
        words = ["states", "--run", "1", "--limit", "0"]
        before, timeline = tables(DATABASE, *words)["rows"], tables(DATABASE, "timeline", "--run", "1")["timeline"]
        with self.changed("INSERT INTO vcpu (vm_id, vcpu_id, ring_id) SELECT min(id), 77, 99999 FROM vm WHERE run_id = 1") as path:
            for one, other in zip(before, tables(path, *words)["rows"]):
                self.assertEqual([one[n] for n in ("wall_cycles", "guest", "halted")],
                                 [other[n] for n in ("wall_cycles", "guest", "halted")])
            self.assertEqual(timeline, tables(path, "timeline", "--run", "1")["timeline"])
            row, = (r for r in tables(path, *words, "--by", "vcpu")["rows"] if r["vcpu"] == 77)
            self.assertEqual((row["wall_cycles"], row["guest"], row["halted"]), (0, None, None))

    def test_times_of_findings(self):
        """Times of evidence have the units that tables have."""
        with self.changed("UPDATE exit_rollup SET preempted_cycles = 300000 * n, cycles = cycles + 300000 * n;"
                          "UPDATE exit_rollup_coarse SET preempted_cycles = 300000 * n, cycles = cycles + 300000 * n") as path:
            text = " ".join(run(path, "findings", "--run", "1").stdout.split())
            self.assertRegex(text, r"vCPUs waited [\d.]+ ms in all, those of all other VMs [\d.]+ (ms|us|ns)")
            # With a filter nobody looked at the rest.
            text = " ".join(run(path, "findings", "--run", "1", "--vm", "1").stdout.split())
            self.assertIn(" ms in all, those of all other VMs that are shown 0 ns", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
