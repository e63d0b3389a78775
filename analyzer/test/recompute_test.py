#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""recompute_test.py ANALYZER DATABASE... - every figure of some commands, again from the rows.

Counts, rates, sums, minima, maxima and percentiles of top-exits, latency and timeline are
recomputed from table exit alone, by other means than the analyzer's (sorted lists, no roll-ups,
no histograms), for the whole run and for windows. Percentiles of histograms may be off by 1/128,
those of --exact by nothing.
"""
import json
import math
import sqlite3
import subprocess
import sys


def analyzer(program, database, *words):
    done = subprocess.run([program, "--db", database, *words, "--format", "json", "--cycles"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class Check:
    def __init__(self):
        self.figures = 0
        self.wrong = []

    def equal(self, what, got, wanted, error=0.0):
        self.figures += 1
        if got is None or abs(got - wanted) > error * abs(wanted) + (1 if error else 1e-9 * abs(wanted)):
            self.wrong.append(f"{what}: {got}, from the rows {wanted}")


def quantile(values, q):
    return values[max(1, math.ceil(q * len(values))) - 1]


def check_groups(check, what, rows, groups, seconds, error):
    total = sum(len(g) for g in groups.values())
    check.equal(f"{what}: groups", len(rows), len(groups))
    for row in rows:
        exits = groups.get(row["reason"], [])
        name = f"{what} reason {row['reason']}"
        check.equal(f"{name} exits", row["exits"], len(exits))
        if not exits:
            continue
        times = sorted(e[1] for e in exits)
        check.equal(f"{name} min", row["min_cycles"], times[0])
        check.equal(f"{name} max", row["max_cycles"], times[-1])
        for column, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)):
            if column + "_cycles" in row:
                check.equal(f"{name} {column}", row[column + "_cycles"], quantile(times, q), error)
        if "time_cycles" in row:
            check.equal(f"{name} time", row["time_cycles"], sum(times))
            check.equal(f"{name} mean", row["mean_cycles"], sum(times) / len(times), 1e-9)
            check.equal(f"{name} share", row["share"], len(exits) / total)
            check.equal(f"{name} per_s", row["per_s"], len(exits) / seconds)
            for i, part in enumerate(("halted", "userspace", "preempted")):
                check.equal(f"{name} {part}", row[part + "_cycles"], sum(e[2 + i] for e in exits))
            check.equal(f"{name} handler", row["handler_cycles"], sum(e[1] - e[2] - e[3] - e[4] for e in exits))


def check_run(check, program, database, db, run, start, khz, isa):
    end = db.execute("SELECT duration_cycles FROM runs WHERE run = ?", (run,)).fetchone()[0]
    exits = db.execute("SELECT CASE ?2 WHEN 1 THEN e.reason & 65535 ELSE e.reason END, e.cycles, e.halted_cycles,"
                       " e.userspace_cycles, e.preempted_cycles, e.tsc - ?3 FROM exit e WHERE e.vcpu IN (SELECT"
                       " vcpu FROM coverage WHERE run = ?1)", (run, isa, start)).fetchall()
    seconds = end / khz / 1e3
    windows = [(None, None)] + [(round(a * seconds, 4), round(b * seconds, 4)) for a, b in ((0.1, 0.13), (0.5, 0.9))]
    for begin, to in windows:
        low, high, words = 0, end + 1, ["--run", str(run)]
        if begin is not None:
            low, high = (int(round(x * 1e9)) // 1000000 * khz + int(round(x * 1e9)) % 1000000 * khz // 1000000
                         for x in (begin, to))
            words += ["--from", f"{begin}s", "--to", f"{to}s"]
        groups = {}
        for e in exits:
            if begin is None or low <= e[5] < high:
                groups.setdefault(e[0], []).append(e)
        if not groups:
            continue
        length = seconds if begin is None else (high - low) / khz / 1e3
        what = f"{database} run {run} {begin}..{to}"
        for exact in ([], ["--exact"]):
            for command in ("top-exits", "latency"):
                rows = analyzer(program, database, command, *words, *exact)["rows"]
                check_groups(check, f"{what} {command} {exact}", rows, groups, length, 0.0 if exact else 1 / 128)
        bins = analyzer(program, database, "timeline", *words, "--table", "timeline", "--limit", "7")["timeline"]
        starts = [b["start_cycles"] for b in bins]
        for i, b in enumerate(bins):
            until = starts[i + 1] if i + 1 < len(bins) else high
            inside = [e for g in groups.values() for e in g if b["start_cycles"] <= e[5] < until]
            check.equal(f"{what} timeline {i} exits", b["exits"], len(inside))
            check.equal(f"{what} timeline {i} time", b["time_cycles"], sum(e[1] for e in inside))


def main():
    program, databases = sys.argv[1], sys.argv[2:]
    check = Check()
    for database in databases:
        db = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
        for run, start, khz, isa in db.execute("SELECT v.run, v.tsc_start, v.tsc_khz, r.isa FROM runs v JOIN run r ON"
                                               " r.id = v.run WHERE v.has_raw = 1 AND v.exits > 0 AND (v.dropped = 0 OR NOT EXISTS"
                                               " (SELECT 1 FROM crosscheck WHERE run_id = v.run AND source = 'totals_dropped'))"
                                               " AND NOT EXISTS (SELECT 1 FROM exit e JOIN coverage c USING (vcpu)"
                                               " WHERE c.run = v.run AND e.reason & 0x80000000 AND r.isa = 1)").fetchall():
            check_run(check, program, database, db, run, start, khz, isa)
    for line in check.wrong[:20]:
        print(line)
    print(f"{check.figures} figures recomputed from the rows, {len(check.wrong)} wrong")
    sys.exit(1 if check.wrong or not check.figures else 0)


if __name__ == "__main__":
    main()
