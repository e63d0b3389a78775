#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""live_sums_test.py ANALYZER ODD_RUNS LOSSES - live says of a recording that has ended what the other commands say

Its first interval is all of the recording: rates are those of top-exits, states those of states,
and an exit that reaches over the end counts with what lies before it.
"""
import fcntl
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ANALYZER, ODD_RUNS, LOSSES = sys.argv[1:4]
SECOND = 1000000000
SLOT = SECOND // 10
STATES = ("guest", "handler", "userspace", "halted", "waiting", "unknown")
MISSING = "Exits are missing, and nothing says how long they took"


def analyzer(path, *words):
    return subprocess.run([ANALYZER, "--db", path, *words], capture_output=True, text=True, check=True).stdout


def table(text):
    """The rows of a table of names and values without blanks."""
    return dict(re.findall(r"(?m)^([A-Z_]+) +(\S.*\S|\S)$", text))


class LiveSums(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # pylint: disable=consider-using-with
        cls.folder = tempfile.TemporaryDirectory()
        cls.odd = os.path.join(cls.folder.name, "odd.sqlite")
        subprocess.run([ODD_RUNS, cls.odd], check=True)
        cls.db = sqlite3.connect(cls.odd)

    @classmethod
    def tearDownClass(cls):
        cls.db.close()
        cls.folder.cleanup()

    def run_of(self, label):
        return str(self.db.execute("SELECT id FROM run WHERE label = ?", (label,)).fetchone()[0])

    def has_raw(self, run, value):
        self.db.execute("UPDATE run SET has_raw = ? WHERE id = ?", (value, run))
        self.db.commit()

    def log(self, path, *words):
        return [json.loads(line) for line in analyzer(path, "live", "--log", "--count", "1", "--format", "json", *words).splitlines()]

    def test_lost_time_is_unknown(self):
        states, = json.loads(analyzer(LOSSES, "states", "--by", "vm", "--format", "json"))["rows"]
        self.assertGreater(states["unknown"], 0.01)
        for line in (self.log(LOSSES)[0], self.log(LOSSES, "--by", "vm")[0]):
            for state in STATES:
                self.assertAlmostEqual(line[state], states[state], msg=state)
        text = analyzer(LOSSES, "live", "--plain", "--count", "1")
        self.assertIn(f"unknown {100 * states['unknown']:.1f} %", text)
        self.assertNotIn(MISSING, text)
        self.assertIn("UNKNOWN", analyzer(LOSSES, "live", "--plain", "--count", "1", "--by", "vm"))

    def test_where_nothing_says_how_long_it_was_a_line_says_so(self):
        run = self.run_of("losses that no total names")
        self.assertNotIn(MISSING, analyzer(self.odd, "live", "--plain", "--count", "1", "--run", run))  # rows say when
        self.assertGreater(self.log(self.odd, "--run", run)[0]["unknown"], 0.2)

        self.has_raw(run, 0)
        self.addCleanup(self.has_raw, run, 1)
        self.assertIn(MISSING, analyzer(self.odd, "live", "--plain", "--count", "1", "--run", run))
        self.assertIsNone(self.log(self.odd, "--run", run)[0]["unknown"])
        run = self.run_of("30 days")
        self.assertNotIn(MISSING, analyzer(self.odd, "live", "--plain", "--count", "1", "--run", run))
        self.assertEqual(self.log(self.odd, "--run", run)[0]["unknown"], 0)

    def test_a_reason_of_which_no_record_is_left_is_not_listed_as_0_exits(self):
        shown = table(analyzer(LOSSES, "live", "--plain", "--count", "1", "--columns", "reason,exits"))
        self.assertNotIn("DR_ACCESS", shown)
        self.assertNotIn("0", shown.values())
        self.assertIn("CPUID", shown)

    def test_an_exit_counts_up_to_the_end(self):
        for label in ("an exit longer than the rest of the run", "30 days", "long halts"):
            run = self.run_of(label)
            end, = self.db.execute("SELECT tsc_end FROM run WHERE id = ?", (run,)).fetchone()
            lives, = self.db.execute("SELECT sum(? - first) FROM (SELECT min(tsc) AS first FROM exit WHERE vcpu IN"
                                     " (SELECT vcpu FROM coverage WHERE run = ?) GROUP BY vcpu)", (end, run)).fetchone()
            halts, = self.db.execute("SELECT sum(min(tsc + cycles, ?) - tsc) FROM exit WHERE reason = 12 AND vcpu IN"
                                     " (SELECT vcpu FROM coverage WHERE run = ?)", (end, run)).fetchone()
            with self.subTest(label):
                text = analyzer(self.odd, "live", "--plain", "--count", "1", "--run", run, "--columns", "reason,time_of_vcpu")
                self.assertEqual(table(text)["HLT"], f"{100 * halts / lives:.1f} %")

    def test_rates_are_of_the_life(self):
        run = self.run_of("a VM for 10 s of 16")
        vm, = self.db.execute("SELECT vm FROM coverage WHERE run = ? AND ended", (run,)).fetchone()
        rows = json.loads(analyzer(self.odd, "top-exits", "--run", run, "--by", "vm", "--format", "json"))["rows"]
        wanted, = [row["per_s"] for row in rows if row["vm"] == vm]
        self.assertAlmostEqual(self.log(self.odd, "--run", run, "--vm", str(vm))[0]["per_s"], wanted, delta=1e-6)
        by_vm = [line["per_s"] for line in self.log(self.odd, "--run", run, "--by", "vm")]
        self.assertTrue(any(abs(per_s - wanted) < 1e-6 for per_s in by_vm), (wanted, by_vm))

    @staticmethod
    def grow(path, exits):
        """Adds (vcpu, begin, cycles, reason) to the recording, HLT (12) being halted for all of its time."""
        database = sqlite3.connect(path, timeout=30)
        with database:
            for vcpu, begin, cycles, reason in exits:
                halted = cycles if reason == 12 else 0
                database.execute("INSERT INTO exit (vcpu, seq, tsc, reason, flags, cycles, halted_cycles, userspace_cycles,"
                                 " preempted_cycles, rip, qualification, info2, intr_info, error_code, user_reason, pcpu)"
                                 " SELECT id, recorded, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM vcpu WHERE id = ?",
                                 (begin, reason, 0x40 if halted else 0, cycles, halted, vcpu))
                database.execute("INSERT INTO exit_rollup (vcpu, slot, reason, n, cycles, halted_cycles, userspace_cycles,"
                                 " preempted_cycles, min_cycles, max_cycles, n_fastpath, n_nested, n_user, n_synth, first_tsc,"
                                 " last_tsc) VALUES (?1, ?2, ?3, 1, ?4, ?5, 0, 0, ?4, ?4, 0, 0, 0, 0, ?6, ?6) ON CONFLICT DO"
                                 " UPDATE SET n = n + 1, cycles = cycles + ?4, halted_cycles = halted_cycles + ?5,"
                                 " max_cycles = max(max_cycles, ?4), last_tsc = ?6",
                                 (vcpu, begin // SLOT, reason, cycles, halted, begin))
                database.execute("UPDATE vcpu SET recorded = recorded + 1 WHERE id = ?", (vcpu,))
        database.close()

    def test_long_halts_of_a_recording_that_goes_on(self):
        """VM 2 halts from 0.5 s to 3.5 s: until that is recorded nothing is known, and then the part in the interval counts."""
        path = shutil.copy(LOSSES, os.path.join(self.folder.name, "grows.sqlite"))
        os.chmod(path, 0o600)
        database = sqlite3.connect(path)
        tables = [name for name, in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN"
                                                     " ('run', 'exit_reason') AND name NOT LIKE 'sqlite_%'")]
        database.executescript("".join(f"DELETE FROM {name};" for name in tables))
        database.execute("UPDATE run SET state = 'recording', tsc_khz = 1000000, tsc_start = 0, tsc_end = NULL, ended_ns = NULL,"
                         f" rollup_cycles = {SLOT}, hist_cycles = {10 * SLOT}, has_raw = 1, has_split = 1, features = 1")
        database.executescript("INSERT INTO vm (id, run_id, kvm_vm_id, tgid) SELECT 1, id, 1, 1 FROM run;"
                               "INSERT INTO vm (id, run_id, kvm_vm_id, tgid) SELECT 2, id, 2, 2 FROM run;"
                               "INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id) VALUES (1, 1, 0, 1), (2, 2, 0, 2);")
        database.commit()
        database.close()

        def busy(low, high):  # 1 ms in each 10 ms
            return [(1, begin, SECOND // 1000, 10) for begin in range(low, high, SECOND // 100)]

        self.grow(path, [*busy(0, SECOND + 1), (2, 0, 1000, 10), (2, SECOND * 4 // 10, 1000, 10)])
        writer = open(path, "rb")  # pylint: disable=consider-using-with
        self.addCleanup(writer.close)
        fcntl.flock(writer, fcntl.LOCK_EX)
        # pylint: disable=consider-using-with
        live = subprocess.Popen([ANALYZER, "--db", path, "live", "--log", "--by", "vm", "--format", "json", "--interval", "1s"],
                                stdout=subprocess.PIPE, text=True)
        self.addCleanup(live.stdout.close)
        self.addCleanup(live.wait)
        self.addCleanup(live.kill)

        def interval():
            """The next one in which something came, or the first one of all."""
            lines = {}
            while not lines or not lines["1"]["per_s"]:
                lines = {line["vm"]: line for line in (json.loads(live.stdout.readline()) for _ in range(2))}
                if lines["1"]["exits"] == 101:
                    break
            return lines

        states = json.loads(analyzer(path, "states", "--sort", "key", "--format", "json"))["rows"]
        self.assertAlmostEqual(states[1]["unknown"], 0.6, delta=0.001)
        self.assertAlmostEqual(states[0]["handler"], 0.1, delta=0.002)
        interval()  # it has begun
        self.grow(path, busy(SECOND + SECOND // 100, 2 * SECOND + 1))
        second = interval()
        if not second["1"]["per_s"]:
            second = interval()
        self.assertAlmostEqual(second["2"]["unknown"], 1, delta=0.001)
        self.assertAlmostEqual(second["1"]["guest"], 0.9, delta=0.002)
        self.grow(path, [*busy(2 * SECOND + SECOND // 100, 4 * SECOND + 1), (2, SECOND // 2, 3 * SECOND, 12)])
        third = interval()
        self.assertAlmostEqual(third["2"]["halted"], 0.75, delta=0.001)
        self.assertAlmostEqual(third["2"]["unknown"], 0.25, delta=0.001)
        self.assertAlmostEqual(third["1"]["handler"], 0.1, delta=0.002)

    def test_names_of_latencies_say_their_window(self):
        line, = self.log(LOSSES)
        self.assertEqual([name for name in line if re.match("mean|p50|p99|max", name)],
                         ["mean_10s_ns", "p50_10s_ns", "p99_10s_ns", "max_10s_ns"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
