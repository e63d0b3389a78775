#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""odd_runs_test.py ANALYZER ODD_RUNS - figures of odd runs, windows and filters, again from the rows

The runs are those of odd_runs.c: without exits, with one, of 3 us and of 30 days, with vCPUs that come
late, end early or lose records. Windows begin and end at exits, between them and where there are
none, alone and with --vm, --vcpu and --reason. Figures are recomputed by recompute_test.py; here in
addition: what is said of runs without exits, and that table, CSV and JSON say the same.
"""
import csv
import io
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import recompute_test as recompute

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import one_in  # noqa: E402 pylint: disable=wrong-import-position

ANALYZER, ODD_RUNS = sys.argv[1:3]
# Of Bazel's test sharding: this process has each SHARDS-th run.
SHARD, SHARDS = int(os.environ.get("TEST_SHARD_INDEX", 0)), int(os.environ.get("TEST_TOTAL_SHARDS", 1))
COMMANDS = ["top-exits", "top-exits --by vcpu", "top-exits --by vm", "top-exits --by subkey", "latency", "timeline", "histogram",
            "sequences", "slowest", "states", "states --by vcpu", "findings", "explain", "list", "verify", "runs --vcpus", "ipi"]
# What no figure is: not a number, an integer that wrapped around, less than nothing.
NONSENSE = re.compile(r"\b(nan|inf|infinity)\b|1844674407|922337203|(?<![\de]e)(?<![\w.-])-\d", re.IGNORECASE)


class OddRuns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # pylint: disable=consider-using-with
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.folder.name, "odd.sqlite")
        subprocess.run([ODD_RUNS, cls.path], check=True)
        cls.db = sqlite3.connect(cls.path)
        cls.all_runs = cls.db.execute("SELECT v.run, v.label, v.tsc_start, v.tsc_khz, r.isa, v.duration_cycles, r.has_split"
                                      " FROM runs v JOIN run r ON r.id = v.run").fetchall()
        cls.runs = cls.all_runs[SHARD::SHARDS]

    @classmethod
    def tearDownClass(cls):
        cls.db.close()
        cls.folder.cleanup()

    def alone(self, run):
        """The path of a file with this run alone: a command reads all rows of a file, whose ever they are."""
        path = os.path.join(self.folder.name, f"run{run}.sqlite")
        shutil.copyfile(self.path, path)
        db = sqlite3.connect(path)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("DELETE FROM run WHERE id <> ?", (run,))
        db.commit()
        db.execute("VACUUM")
        db.close()
        return path

    def analyzer(self, *words, path=None):
        return subprocess.run([ANALYZER, "--db", path or self.path, *words], capture_output=True, text=True, check=False)

    def exits_of(self, run, start):
        """The rows, where they are rows; of chunks what `analyzer sql` gives."""
        rows = self.db.execute(recompute.EXITS, {"run": run, "start": start}).fetchall()
        if not rows:
            text = recompute.EXITS.replace(":start", str(start)).replace(":run", str(run))
            done = self.analyzer("sql", text, "--format", "csv")
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = [[int(v) if re.fullmatch(r"-?\d+", v) else v or None for v in row]
                    for row in list(csv.reader(io.StringIO(done.stdout)))[1:]]
        return [recompute.Exit(*row) for row in rows]

    @staticmethod
    def windows(run, exits, khz, length):
        """Within @length cycles: (from, to) in ns, and whether also with filters. The first cycle of an exit is in a
        window that begins there."""
        def ns(cycles):
            return -(-cycles * 1000000 // khz)  # up: not before it

        total = length * 1000000 // khz
        middle = exits[len(exits) // 2].tsc
        found = [(None, True), ((total // 3, total * 2 // 3), True), ((total * 9 // 10, total * 2), False),
                 ((ns(middle), ns(middle + 1)), False), ((ns(middle + 1), ns(exits[-1].tsc)), False)]
        return [(w, filtered) for w, filtered in found if w is None or (w[0] < w[1] and w[0] <= total)]

    @staticmethod
    def filters(exits, vcpu_ids):
        """Options, and which (vcpu, vm, reason) pass them."""
        found = [((), None)]
        vm, vcpu, reason = exits[-1].vm, vcpu_ids[exits[-1].vcpu], exits[0].reason
        found.append((("--vm", str(vm)), lambda c, v, r: v == vm))
        found.append((("--vcpu", str(vcpu)), lambda c, v, r: vcpu_ids[c] == vcpu))
        found.append((("--reason", str(reason)), lambda c, v, r: r in (reason, None)))
        found.append((("--reason", f"!{reason}", "--vm", str(vm)), lambda c, v, r: r != reason and v == vm))
        return found

    @classmethod
    def choices(cls, windows, exits, vcpu_ids):
        """(window, options, what passes)"""
        return [(window, words, passes) for window, filtered in windows
                for words, passes in cls.filters(exits, vcpu_ids)[:None if filtered else 1]]

    def test_figures_are_those_of_the_rows(self):
        check = recompute.Check()
        for run, label, start, khz, *rest in self.runs:
            if label == "such a VM alone":
                continue
            exits, path = self.exits_of(run, start), self.alone(run)
            vcpu_ids = dict(self.db.execute("SELECT vcpu, vcpu_id FROM coverage WHERE run = ?", (run,)))
            windows = self.windows(run, exits, khz, rest[1]) if exits else []
            for window, words, passes in one_in.some(self.choices(windows, exits, vcpu_ids)):
                one = recompute.Run(check, ANALYZER, path, self.db, (run, start, khz, *rest), exits, window, words, passes)
                with self.subTest(label, window=window, words=words):
                    self.check_run(one, words, label)
        self.assertFalse(check.wrong, "\n".join(check.wrong[:40]))
        self.assertGreater(check.figures * SHARDS * one_in.ONE_IN, 20000)
        print(f"{check.figures} figures recomputed from the rows")

    def check_run(self, run, words, label):
        if not run.exits and not run.lost:
            done = self.analyzer("top-exits", *run.words)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))
            return
        if not run.exits:
            run.check_top()
            return
        run.check_top()
        run.check_latency()
        run.check_timeline()
        run.check_histogram()
        run.check_slowest()
        if "--reason" not in words:
            run.check_sequences()
            # There is no wall time after the end.
            if label != "exits after the end":
                run.check_states()
        if not words:
            run.check_explain()

    def test_rates_are_of_the_life(self):
        """A VM has the same rate in a run of which it lives a part as alone: of rows, of chunks and of roll-ups."""
        vms = {label: vm for label, vm in self.db.execute("SELECT r.label, c.vm FROM coverage c JOIN run r ON r.id = c.run"
                                                          " WHERE c.ended OR r.label = 'such a VM alone'")}
        runs = {label: str(run) for run, label, *_ in self.all_runs}
        alone = "such a VM alone"
        cases = ("late and early vCPUs", 1.4), ("late and early vCPUs, in chunks", 1.4), ("a VM for 10 s of 16", 10)
        for label, seconds in cases[SHARD::SHARDS]:
            with self.subTest(label):
                who = ["--vm", f"{vms[label]},{vms[alone]}"]
                done = self.analyzer("compare", runs[label], runs[alone], *who, "--fail-on", "rate=20%", "--format", "json")
                self.assertEqual(done.returncode, 0, done.stdout)
                total, = json.loads(done.stdout)["total"]
                self.assertAlmostEqual(total["per_s_a"] * seconds / total["exits_a"], 1, delta=0.01)
                self.assertAlmostEqual(total["per_s_b"] * 10 / total["exits_b"], 1, delta=0.01)
                self.assertAlmostEqual(total["ratio"], 1, delta=0.1)
                self.assertEqual(total["change"], "~")
                done = self.analyzer("timeline", "--run", runs[label], *who, "--table", "reasons", "--format", "json")
                self.assertEqual({r["rate"] for r in json.loads(done.stdout)["reasons"]}, {"steady"})
                page = self.analyzer("report", "--run", runs[label], *who, "--html", "-").stdout
                self.assertIn(f"over {seconds:.2f} s<" if seconds < 10 else "over 10.0 s<", page)

    def test_formats_say_the_same(self):
        for run, label, *_ in self.runs:
            path = self.alone(run)
            for command in one_in.some(COMMANDS):
                words = [*command.split(), "--run", str(run)]
                with self.subTest(label, command=command):
                    self.compare(words, path)

    def compare(self, words, path):
        table, csv_, json_ = (self.analyzer(*words, "--format", f, path=path) for f in ("table", "csv", "json"))
        # Warnings of a table's notes are on stderr only with CSV.
        self.assertEqual({table.returncode, csv_.returncode, json_.returncode} - {0, 1}, set())
        self.assertEqual(table.returncode, json_.returncode, (table.stderr, json_.stderr))
        self.assertEqual(table.returncode, csv_.returncode, (table.stderr, csv_.stderr))
        # The difference of two counts may be less than 0.
        for text in (table.stdout, csv_.stdout, json_.stdout) if words[0] != "verify" else ():
            self.assertIsNone(NONSENSE.search(text), text)
        if table.returncode and not table.stdout:
            self.assertEqual(table.stderr.count("\n"), 1, table.stderr)
            return

        rows = list(csv.DictReader(io.StringIO(csv_.stdout)))
        members = [v for v in json.loads(json_.stdout).values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        if not rows or words[0] == "verify":  # whose JSON is by equation
            return
        same = [m for m in members if len(m) == len(rows) and set(m[0]) <= set(rows[0])]
        self.assertTrue(same, (words, list(rows[0]), [list(m[0]) for m in members]))
        self.assertTrue(any(self.equal(m, rows) for m in same), (words, rows[:2], [m[:2] for m in same]))

    @staticmethod
    def equal(members, rows):
        def text(value):
            if value is None:
                return ""
            if isinstance(value, bool):
                return str(int(value))
            return value if isinstance(value, str) else f"{value:.10g}" if isinstance(value, float) else str(value)

        def same(a, b):
            try:
                return a == b or abs(float(a) - float(b)) <= 1e-9 * abs(float(a))
            except ValueError:
                return False

        return all(same(text(m[k]), r[k]) for m, r in zip(members, rows) for k in m)


if __name__ == "__main__":
    if "TEST_SHARD_STATUS_FILE" in os.environ:
        pathlib.Path(os.environ["TEST_SHARD_STATUS_FILE"]).touch()
    unittest.main(argv=sys.argv[:1])
