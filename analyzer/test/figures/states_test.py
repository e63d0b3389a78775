#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""states_test.py ANALYZER DATABASE... - shares of wall time add up to 1 and are those of the rows"""
import collections
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ANALYZER, DATABASES = sys.argv[1], sys.argv[2:]
PARTS = ("guest", "handler", "userspace", "polled", "halted", "waiting", "unknown")

ROWS = """
SELECT vm, vcpu_id, tsc - tsc_start, cycles, handler_cycles, halted_cycles, userspace_cycles, preempted_cycles
FROM exits JOIN runs USING (run)
WHERE run = :run
ORDER BY vm, vcpu_id, tsc
"""

LONGEST_BUSY = """
SELECT tsc - tsc_start, cycles
FROM exits JOIN runs USING (run)
WHERE run = :run
  AND tsc - tsc_start + cycles < duration_cycles * 9 / 10
ORDER BY cycles - halted_cycles DESC
LIMIT 1
"""


# When the exit before a gap ended, when the exit after it began, and when the one before began.
GAPS = """
SELECT m.id, c.vcpu_id, e.tsc + e.cycles - r.tsc_start, l.tsc_after - r.tsc_start, e.tsc - r.tsc_start
FROM loss l
JOIN exit e ON e.vcpu = l.vcpu AND e.tsc = l.tsc_before
JOIN vcpu c ON c.id = l.vcpu
JOIN vm m ON m.id = c.vm_id
JOIN run r ON r.id = m.run_id
WHERE r.id = 1
"""


def states(path, *words):
    done = subprocess.run([ANALYZER, "--db", path, "states", "--cycles", "--format", "json", *words],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    return json.loads(done.stdout)["rows"]


def share(row, part):
    """An unknown share is null: its time is in another one."""
    return row[part] or 0


class StatesTest(unittest.TestCase):
    def each_run(self):
        for path in DATABASES:
            db = sqlite3.connect(f"file:{path}?immutable=1", uri=True)  # may be read-only
            for run, khz, length in db.execute("SELECT run, tsc_khz, duration_cycles FROM runs"
                                               " WHERE exits > 0 AND has_raw = 1").fetchall():
                yield path, db, str(run), khz, length

    def test_shares_add_up(self):
        seen = 0
        for path, _, run, khz, length in self.each_run():
            for by in ("vm", "vcpu"):
                for begin, end in ((0, 1), (0.1, 0.9), (0.5, 0.51), (0.98, 1)):
                    words = [] if (begin, end) == (0, 1) else [
                        "--from", f"{begin * length / khz / 1e3:.6f}s", "--to", f"{end * length / khz / 1e3:.6f}s"]
                    for row in states(path, "--run", run, "--by", by, "--limit", "0", *words):
                        if row["wall_cycles"]:
                            self.assertAlmostEqual(sum(share(row, p) for p in PARTS), 1, 9, (path, run, words, row))
                        for p in PARTS:
                            self.assertGreaterEqual(share(row, p), 0, (path, run, words, row))
                        seen += 1
        self.assertGreater(seen, 20)

    def test_whole_runs_are_those_of_the_rows(self):
        for path, db, run, _, _ in self.each_run():
            for row in states(path, "--run", run, "--by", "vcpu", "--limit", "0"):
                cycles, halted, user, waiting = db.execute(
                    "SELECT sum(cycles), sum(halted_cycles), sum(userspace_cycles), sum(preempted_cycles) FROM exits"
                    " WHERE run = ? AND vm = ? AND vcpu_id = ?", (run, row["vm"], row["vcpu"])).fetchone()
                wall = row["wall_cycles"]
                if cycles > wall:
                    continue
                for part, sum_ in (("halted", halted), ("userspace", user), ("waiting", waiting),
                                   ("handler", cycles - halted - user - waiting)):
                    known = share(row, part) + (share(row, "polled") if part == "halted" else 0)
                    self.assertAlmostEqual(known * wall, sum_, delta=1, msg=(path, run, part))
                self.assertAlmostEqual((row["guest"] + share(row, "unknown")) * wall, wall - cycles, delta=1)

    def test_windows_cut_exits(self):
        """A window within an exit, one that ends in it, one that begins in it: the time inside counts."""
        seen = 0
        for path, db, run, khz, length in self.each_run():
            exits = db.execute(ROWS, {"run": run}).fetchall()
            if any(a[:2] == b[:2] and a[2] + a[3] > b[2] for a, b in zip(exits, exits[1:])):
                continue  # made-up exits that overlap
            for _, _, tsc, cycles, *_ in sorted(exits, key=lambda e: -e[3])[:4]:
                for begin, end in ((tsc + cycles // 4, tsc + cycles // 2), (tsc - cycles, tsc + cycles // 3),
                                   (tsc + cycles // 3, tsc + 3 * cycles)):
                    low, high = (min(max(cycle, 0), length) * 1000000 // khz for cycle in (begin, end))
                    if high <= low or high >= length * 1000000 // khz:  # the end of a run cuts another way
                        continue
                    rows = states(path, "--run", run, "--by", "vcpu", "--limit", "0", "--from", f"{low}ns", "--to", f"{high}ns")
                    seen += self.check_window(exits, rows, *(ns // 1000000 * khz + ns % 1000000 * khz // 1000000
                                                             for ns in (low, high)), msg=(path, run, low, high))
        self.assertGreater(seen, 15)

    def check_window(self, exits, rows, low, high, msg):
        for row in rows:
            wanted = collections.Counter()
            for vm, vcpu, tsc, cycles, *parts in exits:
                inside = min(tsc + cycles, high) - max(tsc, low)
                if (vm, vcpu) == (row["vm"], row["vcpu"]) and inside > 0:
                    for part, time in zip(("handler", "halted", "userspace", "waiting"), parts):
                        wanted[part] += time * inside / cycles
            for part in ("handler", "halted", "userspace", "waiting"):
                known = share(row, part) + (share(row, "polled") if part == "halted" else 0)
                self.assertAlmostEqual(known * row["wall_cycles"], wanted[part], delta=6 + 1e-6 * wanted[part], msg=(msg, part))
        return len(rows)

    def test_time_over_bins(self):
        """A bin has no more busy and halted time than its vCPUs lived, a window's first bin what began before."""
        seen = 0
        for path, db, run, khz, _ in self.each_run():
            tsc, cycles = db.execute(LONGEST_BUSY, {"run": run}).fetchone()
            for limit in ("4", "1000"):
                window = ["--from", f"{(tsc + cycles // 4) * 1000000 // khz}ns"]
                for words in ([], window):
                    done = subprocess.run([ANALYZER, "--db", path, "timeline", "--run", run, "--limit", limit, "--format", "json",
                                           *words], capture_output=True, text=True, check=False)
                    if done.returncode:  # no exit begins in the window
                        continue
                    tables = json.loads(done.stdout)
                    bins = [b for b in tables["timeline"] + tables["phases"] if b["busy_of_vcpu"] is not None]
                    for b in bins:
                        self.assertLessEqual(b["busy_of_vcpu"] + b["halted_of_vcpu"], 1 + 1e-9, (path, run, words, b))
                    if words and bins:
                        self.assertGreater(bins[0]["busy_of_vcpu"], 0, (path, run, words))
                        seen += 1
        self.assertGreater(seen, 2)

    def test_gaps_are_unknown(self):
        """Between exits that were lost nothing is known: neither the guest nor an exit."""
        db = sqlite3.connect(f"file:{DATABASES[-1]}?immutable=1", uri=True)
        khz, = db.execute("SELECT tsc_khz FROM runs WHERE run = 1").fetchone()
        gaps = db.execute(GAPS).fetchall()
        self.assertGreater(len(gaps), 5)
        for vm, vcpu, begin, end, before in gaps:
            for low, high, gap in ((begin + (end - begin) // 4, end - (end - begin) // 4, (end - begin) // 2),
                                   (before, end, end - begin), (before, begin + (end - begin) // 2, (end - begin) // 2)):
                low, high = (cycle * 1000000 // khz + 1 for cycle in (low, high))
                rows = states(DATABASES[-1], "--by", "vcpu", "--limit", "0", "--from", f"{low}ns", "--to", f"{high}ns")
                row, = (r for r in rows if (r["vm"], r["vcpu"]) == (vm, vcpu))
                self.assertAlmostEqual(row["unknown"] * row["wall_cycles"], gap, delta=3 * khz / 1e6 + 6, msg=(vm, vcpu, low, high))
                self.assertLess(row["guest"] * row["wall_cycles"], 3 * khz / 1e6 + 6, (vm, vcpu, low, high))

        length = collections.Counter()
        for vm, vcpu, begin, end, _ in gaps:
            length[vm, vcpu] += end - begin
        for row in self.changed("DELETE FROM crosscheck WHERE source = 'totals'", DATABASES[-1]):
            self.assertAlmostEqual(row["unknown"] * row["wall_cycles"], length[row["vm"], row["vcpu"]], delta=100)

    def changed(self, sql, original=DATABASES[0]):
        """The rows of run 1 by vCPU, of a copy of a database that was changed by @sql."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "changed.sqlite")
            shutil.copyfile(original, path)
            os.chmod(path, 0o600)
            db = sqlite3.connect(path)
            db.executescript(sql)
            db.close()
            return states(path, "--run", "1", "--by", "vcpu", "--sort", "key", "--limit", "0")

    def test_polled_is_a_part_of_halted(self):
        known = self.changed("UPDATE run SET features = 0x10")
        unknown = self.changed("UPDATE run SET features = NULL")
        forged = self.changed("UPDATE exit_rollup SET polled_cycles = 5 * halted_cycles")
        exact = self.changed("UPDATE exit_rollup SET polled_cycles = halted_cycles / 4")
        self.assertGreater(sum(row["polled"] for row in known), 0)
        for one, two, three, four in zip(known, unknown, forged, exact):
            self.assertIsNone(two["polled"])
            self.assertAlmostEqual(one["polled"] + one["halted"], two["halted"], 9)
            self.assertAlmostEqual(three["polled"], two["halted"], 9)
            self.assertEqual(three["halted"], 0)
            self.assertAlmostEqual(four["polled"], two["halted"] / 4, 6)

    def test_needs_all_exits(self):
        for words in (["--reason", "HLT"],):
            with self.assertRaisesRegex(ValueError, "need all exits"):
                states(DATABASES[0], "--run", "1", *words)

    def test_sorted_by_each_part(self):
        for part in PARTS:
            rows = states(DATABASES[0], "--run", "1", "--by", "vcpu", "--sort", part)
            self.assertEqual([r[part] for r in rows], sorted((r[part] for r in rows), reverse=True), part)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
