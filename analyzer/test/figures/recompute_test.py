#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""recompute_test.py ANALYZER DATABASE... - every figure of the commands, again from the rows.

Counts, rates, shares, sums, extremes and percentiles are recomputed from table exit alone, by other
means than the analyzer's (sorted lists, no roll-ups, no histograms), for whole runs and for
windows. Percentiles of histograms may be off by 1/128, those of --exact by nothing. Of a run with
losses, counts and rates by reason, vCPU and VM include the dropped exits of KVM's totals, and nothing
else does.
"""
import collections
import json
import math
import sqlite3
import subprocess
import sys

ERROR = 1 / 128
MOST_ROWS = 200  # of a table
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
PARTS = ("handler", "halted", "userspace", "preempted")

Exit = collections.namedtuple("Exit", "vcpu vm seq tsc reason name key cycles halted userspace preempted rip user_reason pcpu polled")

EXITS = """
SELECT vcpu, vm, seq, tsc - :start, basic_reason, reason_name, key_text, cycles, halted_cycles, userspace_cycles,
 preempted_cycles, rip, CASE WHEN to_user THEN user_reason END, pcpu,
 polled_cycles
FROM exits WHERE run = :run ORDER BY id
"""

RUNS = """
SELECT v.run, v.tsc_start, v.tsc_khz, r.isa, v.duration_cycles, r.has_split FROM runs v JOIN run r ON r.id = v.run
WHERE v.has_raw = 1 AND v.exits > 0
 -- entries that failed have keys of their own
 AND NOT EXISTS (SELECT 1 FROM exit_rollup u WHERE u.vcpu IN (SELECT vcpu FROM coverage c WHERE c.run = v.run)
  AND u.reason & 0x80000000 AND r.isa = 1)
"""


class Check:
    def __init__(self):
        self.figures = 0
        self.wrong = []

    def equal(self, what, got, wanted, error=0.0):
        self.figures += 1
        if isinstance(wanted, (int, float)) and isinstance(got, (int, float)):
            if abs(got - wanted) <= error * abs(wanted) + (1 if error == ERROR else 1e-9 * abs(wanted)):
                return
        elif got == wanted:
            return
        self.wrong.append(f"{what}: {got}, from the rows {wanted}")


def quantile(values, q):
    return values[max(1, math.ceil(q * len(values))) - 1]


def handler(e):
    return e.cycles - e.halted - e.userspace - e.preempted


class Run:
    """A run within a window: its exits, and what the analyzer says of them.

    words: further options, of which an exit or a (vcpu, vm, reason) of totals passes those for which passes() is true.
    """

    def __init__(self, check, program, database, db, row, every, window, words=(), passes=None):
        self.check, self.program, self.database = check, program, database
        self.id, self.start, self.khz, self.isa, self.length, self.has_split = row
        self.row, self.window = row, window
        low, high, self.words = 0, self.length, ["--run", str(self.id), *words]
        if window:
            low, high = (ns // 1000000 * self.khz + ns % 1000000 * self.khz // 1000000 for ns in window)
            self.words += ["--from", f"{window[0]}ns", "--to", f"{window[1]}ns"]
            if window[1] >= self.length * 1000000 // self.khz:
                high = math.inf  # to the end, and what came after it
        self.low, self.high = low, high
        self.every = [e for e in every if not passes or passes(e.vcpu, e.vm, e.reason)]
        self.exits = [e for e in self.every if not window or low <= e.tsc < high]
        self.time = sum(e.cycles for e in self.exits)
        self.busy = self.time - sum(e.halted for e in self.exits)
        self.all_exits = len(self.exits)
        lost = db.execute("SELECT c.vcpu, c.vm, k.reason, sum(k.n) FROM crosscheck k JOIN coverage c ON c.vcpu = k.vcpu WHERE"
                          " k.run_id = ? AND k.source = 'totals_dropped' AND k.reason NOT NULL GROUP BY 1, 2, 3", (self.id,))
        self.lost = [] if window else [r for r in lost if r[3]]
        self.vcpu_id = dict(db.execute("SELECT vcpu, vcpu_id FROM coverage WHERE run = ?", (self.id,)))
        self.lives = self.read_lives(db, every, passes)
        self.gaps, = db.execute("SELECT count(*) FROM losses WHERE run = ?", (self.id,)).fetchone()
        self.longest = max((e.cycles for e in every), default=0)
        # Dropped exits count where the totals know all of them.
        dropped, = db.execute("SELECT dropped FROM runs WHERE run = ?", (self.id,)).fetchone()
        if sum(r[3] for r in self.lost) != dropped:
            self.lost = []
        self.lost = [r for r in self.lost if not passes or passes(*r[:3])]
        self.seconds = self.read_seconds(db, passes)

    def window_seconds(self):
        return (min(self.high, self.length) - self.low) / self.khz / 1e3

    def read_seconds(self, db, passes):
        """What rates are of: the window; with --vm or --vcpu the part of it in which these vCPUs lived. None: nothing."""
        window = self.window_seconds()
        if not {"--vm", "--vcpu"} & set(self.words) or not self.exits and not self.lost:
            return window
        lived, said = self.lived(self.lives), self.analyzer("top-exits")["run"]["lived_ns"] / 1e9
        # As in check_row(), of the last exit.
        if lived < said <= lived + self.longest / self.khz / 1e3 and lived < window:
            lived = said
        self.same("lived", said, lived, 1e-8 + 1e-9 / max(lived, 1e-9))
        known = sum(n for vcpu, vm, n in db.execute("SELECT vcpu, vm, recorded + dropped FROM coverage WHERE run = ?", (self.id,))
                    if passes(vcpu, vm, None))
        return lived if lived >= window or known != 1 else None

    def read_lives(self, db, every, passes):
        """VM, vCPU, begin and end of each vCPU: from its first exit on, if nothing came before and none is missing there."""
        lives = []
        for vcpu, vm, vcpu_id, unread, ended, dropped, filtered in db.execute(
                "SELECT vcpu, vm, vcpu_id, unread, ended, dropped, filtered FROM coverage WHERE run = ?", (self.id,)):
            first_lost, last_lost = db.execute("SELECT coalesce(sum(tsc_before IS NULL), 0), coalesce(sum(tsc_after IS NULL), 0)"
                                               " FROM loss WHERE vcpu = ?", (vcpu,)).fetchone()
            exits = [e for e in every if e.vcpu == vcpu]
            if (exits or dropped) and (not passes or passes(vcpu, vm, None)):
                begin = 0 if unread or filtered or first_lost or not exits else min(e.tsc for e in exits)
                lives.append((vm, vcpu_id, begin, max(e.tsc + e.cycles for e in exits) if ended and exits and not filtered and not last_lost else self.length))
        return lives

    def lived(self, lives):
        """How many seconds of the window."""
        begin, end = min(r[2] for r in lives), max(r[3] for r in lives)
        return (min(end, self.high, self.length) - max(begin, self.low)) / self.khz / 1e3

    def analyzer(self, *words):
        command = [self.program, "--db", self.database, *words, *self.words, "--format", "json", "--cycles"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def same(self, what, got, wanted, error=0.0):
        self.check.equal(f"{self.database} run {self.id} {self.window} {what}", got, wanted, error)

    def lost_by(self, by):
        """Dropped exits by reason, vcpu or vm."""
        of = collections.Counter()
        for vcpu, vm, reason, n in self.lost:
            of[{"reason": reason, "vcpu": vcpu, "vm": vm}.get(by)] += n
        return of

    def group(self, key):
        groups = collections.defaultdict(list)
        for e in self.exits:
            groups[key(e)].append(e)
        return groups

    # The figures of one row, as far as it has them.
    def check_row(self, what, row, exits, lost, error):
        if "recorded" in row or "exits" in row:
            self.same(f"{what} exits", row["exits"], len(exits) + lost)
        if "per_s" in row:
            seconds = self.seconds
            if "lived_cycles" in row:  # of a vCPU or VM
                lived = self.lived([r for r in self.lives if r[:2] == (row["vm"], row.get("vcpu", r[1]))])
                cycles = round(lived * self.khz * 1e3)
                # The roll-ups say of the last exit how long it was at most: as the longest of its reason around it.
                if cycles < row["lived_cycles"] <= cycles + self.longest and lived < self.window_seconds():
                    lived, cycles = row["lived_cycles"] / self.khz / 1e3, row["lived_cycles"]
                self.same(f"{what} lived", row["lived_cycles"], cycles)
                # A life that begins with its only exit has no rate.
                seconds = None if lived < self.window_seconds() and len(exits) + lost == 1 else lived
            self.same(f"{what} per_s", row["per_s"], seconds and (len(exits) + lost) / seconds, 1e-8)
        if "recorded" in row:
            self.same(f"{what} recorded", row["recorded"], len(exits))
            self.same(f"{what} share", row["share"], (len(exits) + lost) / self.all_exits, 1e-8)
        if not exits:
            self.same(f"{what} p50", row.get("p50_cycles"), None)
            return
        times = sorted(e.cycles for e in exits)
        for column, value in (("min", times[0]), ("max", times[-1])):
            if column + "_cycles" in row:
                self.same(f"{what} {column}", row[column + "_cycles"], value)
        for column, q in QUANTILES.items():
            if column + "_cycles" in row:
                self.same(f"{what} {column}", row[column + "_cycles"], quantile(times, q), error)
        if "time_cycles" in row:
            self.same(f"{what} time", row["time_cycles"], sum(times))
            self.same(f"{what} mean", row["mean_cycles"], sum(times) / len(times), 1e-8)
            self.same(f"{what} time_share", row["time_share"], sum(times) / self.time if self.time else None, 1e-8)
        if "p90_by_p10" in row and quantile(times, 0.1):
            self.same(f"{what} p90_by_p10", row["p90_by_p10"], quantile(times, 0.9) / quantile(times, 0.1),
                      2.1 * error + 1e-8)
        if "handler_cycles" in row and self.has_split:
            for part in PARTS:
                value = sum(handler(e) if part == "handler" else getattr(e, part) for e in exits)
                self.same(f"{what} {part}", row[part + "_cycles"], value)
            self.same(f"{what} busy_share", row["busy_share"],
                      sum(e.cycles - e.halted for e in exits) / self.busy if self.busy else None, 1e-8)

    def check_groups(self, what, rows, groups, of_row, lost, error):
        self.all_exits = len(self.exits) + sum(lost.values())
        self.same(f"{what} groups", len(rows), min(MOST_ROWS, len(set(groups) | set(lost))))
        counts = [r["exits"] for r in rows]
        self.same(f"{what} order", counts, sorted(counts, reverse=True))
        for row in rows:
            key = of_row(row)
            self.check_row(f"{what} {key}", row, groups.get(key, []), lost.get(key, 0), error)

    def check_top(self):
        named = {v: (e.vm, self.vcpu_id[v]) for e in self.exits for v in [e.vcpu]}
        ways = {
            "reason": (lambda e: e.reason, lambda r: r["reason"]),
            "vm": (lambda e: e.vm, lambda r: r["vm"]),
            "vcpu": (lambda e: named[e.vcpu], lambda r: (r["vm"], r["vcpu"])),
            "subkey": (lambda e: (e.name, e.key), lambda r: (r["name"], r["key"])),
            "rip": (lambda e: e.rip, lambda r: r["rip"]),
            "pcpu": (lambda e: e.pcpu, lambda r: r["pcpu"]),
            "userspace-reason": (lambda e: e.user_reason, lambda r: r["user_reason"]),
        }
        for by, (key, of_row) in ways.items():
            lost = self.lost_by(by) if by in ("reason", "vm", "vcpu") else {}
            if by == "vcpu":
                lost = {named[v]: n for v, n in lost.items() if v in named}
            for exact in ([], ["--exact"]) if by == "reason" else ([],):
                got = self.analyzer("top-exits", "--by", by, "--sort", "count", "--limit", str(MOST_ROWS), *exact)
                self.check_groups(f"top-exits {by} {exact}", got["rows"], self.group(key), of_row, lost, 0 if exact else ERROR)
                self.check_row(f"top-exits {by} total", got["total"][0], self.exits, sum(lost.values()), 0 if exact else ERROR)

    def check_latency(self):
        groups = self.group(lambda e: e.reason)
        for exact in ([], ["--exact"]):
            rows = self.analyzer("latency", *exact)["rows"]
            for row in rows:
                # How many the percentiles are of: dropped exits don't count.
                self.check_row(f"latency {exact} {row['reason']}", row, groups.get(row["reason"], []), 0,
                               0 if exact else ERROR)

    def check_timeline(self):
        got = self.analyzer("timeline", "--limit", "7")
        for name in ("timeline", "phases"):
            starts = [b["start_cycles"] for b in got[name]]
            for i, b in enumerate(got[name]):
                until = starts[i + 1] if i + 1 < len(starts) else math.inf
                inside = [e for e in self.exits if b["start_cycles"] <= e.tsc < until]
                if b["exits"] is None and self.gaps:  # unknown: missing_test.py
                    self.same(f"{name} {i} exits of a gap", 0, len(inside))
                    continue
                self.same(f"{name} {i} exits", b["exits"], len(inside))
                if "time_cycles" in b:
                    self.same(f"{name} {i} time", b["time_cycles"], sum(e.cycles for e in inside))
                if inside:
                    most = collections.Counter(e.name for e in inside)
                    self.same(f"{name} {i} top", most[b["top_reason"]], max(most.values()))
        self.check_bins(got["timeline"])
        groups, lost = self.group(lambda e: e.reason), self.lost_by("reason")
        groups[None] = self.exits
        lost[None] = sum(lost.values())
        for row in got["reasons"]:
            exits = groups.get(row["reason"], [])
            self.same(f"reasons {row['reason']} exits", row["exits"], len(exits) + lost[row["reason"]])
            self.same(f"reasons {row['reason']} per_s", row["per_s"],
                      self.seconds and (len(exits) + lost[row["reason"]]) / self.seconds, 1e-8)
            for column, pick in (("first", min), ("last", max)):
                self.same(f"reasons {row['reason']} {column}", row[column + "_cycles"],
                          pick(e.tsc for e in exits) if exits else None)

    def check_bins(self, bins):
        """The vCPUs' busy and halted shares of each bin: what lies within it. Whole runs come from roll-ups (reach.h)."""
        ends = [*[b["start_cycles"] for b in bins[1:]], min(self.high, self.length)]
        for b, end in zip(bins, ends):
            begin, busy, halted = b["start_cycles"], 0, 0
            room = sum(max(0, min(life[3], end) - max(life[2], begin)) for life in self.lives)
            for e in self.every:
                inside = min(e.tsc + e.cycles, end) - max(e.tsc, begin)
                if inside > 0:
                    halted += e.halted * inside / e.cycles
                    busy += (e.cycles - e.halted) * inside / e.cycles
            for name, cycles in (("busy", busy), ("halted", halted)):
                got = b[name + "_of_vcpu"]
                error = 0.05 * room if not self.window else 8 * len(self.lives) + 1e-6 * room
                # As in check_row(), of the last exit of one that ended.
                if got and any(begin < life[3] < min(end, self.length) for life in self.lives):
                    error += got * self.longest
                if got is not None and room and abs(got * room - min(cycles, room)) > error:
                    self.check.equal(f"{self.database} run {self.id} {self.window} {name} at {begin}", got, cycles / room)
                self.check.figures += 1

    def check_histogram(self):
        for row in self.analyzer("histogram")["rows"]:
            inside = sum(row["from_cycles"] <= e.cycles < row["to_cycles"] for e in self.exits)
            self.same(f"histogram {row['from_cycles']}", row["exits"], inside)
            self.same(f"histogram {row['from_cycles']} share", row["share"], inside / len(self.exits), 1e-8)
            self.same(f"histogram {row['from_cycles']} upto", row["upto"],
                      sum(e.cycles < row["to_cycles"] for e in self.exits) / len(self.exits), 1e-8)

    def check_sequences(self):
        gap = self.khz // 100
        pairs, wakes, bursts = (collections.defaultdict(list) for _ in range(3))
        for exits in self.group(lambda e: e.vcpu).values():
            before, burst = None, []
            for e in exits:
                follows = before is not None and e.seq == before.seq + 1
                guest = max(0, e.tsc - before.tsc - before.cycles) if before else 0
                if follows:
                    pairs[before.name, e.name].append(guest)
                    if before.halted:
                        wakes[e.name].append(before.halted)
                if burst and (not follows or guest >= gap):
                    bursts[len(burst).bit_length() - 1].append((len(burst), before.tsc + before.cycles - burst[0]))
                    burst = []
                burst.append(e.tsc)
                before = e
            bursts[len(burst).bit_length() - 1].append((len(burst), before.tsc + before.cycles - burst[0]))

        got = self.analyzer("sequences", "--limit", "0")
        every = sum(len(v) for v in pairs.values())
        self.same("pairs", len(got["pairs"]), len(pairs))
        for row in got["pairs"]:
            guest = sorted(pairs[row["name"], row["next"]])
            what = f"pair {row['name']} {row['next']}"
            self.same(f"{what} n", row["pairs"], len(guest))
            self.same(f"{what} share", row["share"], len(guest) / every, 1e-8)
            self.same(f"{what} of_exit", row["of_exit"],
                      len(guest) / sum(len(v) for k, v in pairs.items() if k[0] == row["name"]), 1e-8)
            self.same(f"{what} time", row["guest_time_cycles"], sum(guest))
            for column in ("p50", "p99"):
                self.same(f"{what} {column}", row[f"guest_{column}_cycles"], quantile(guest, QUANTILES[column]), ERROR)
        self.same("wakes", len(got["wakes"]), len(wakes))
        for row in got["wakes"]:
            halted = sorted(wakes[row["next"]])
            self.same(f"wakes {row['next']}", row["wakes"], len(halted))
            self.same(f"wakes {row['next']} time", row["halted_time_cycles"], sum(halted))
            for column in ("p50", "p99"):
                self.same(f"wakes {column}", row[f"halted_{column}_cycles"], quantile(halted, QUANTILES[column]), ERROR)
        self.same("bursts", len(got["bursts"]), len(bursts))
        for row in got["bursts"]:
            of_size = bursts[row["from"].bit_length() - 1]
            lengths = sorted(length for _, length in of_size)
            self.same(f"bursts {row['from']}", row["bursts"], len(of_size))
            self.same(f"bursts {row['from']} most", row["longest"], max(n for n, _ in of_size))
            self.same(f"bursts {row['from']} p50", row["length_p50_cycles"], quantile(lengths, 0.5), ERROR)
            self.same(f"bursts {row['from']} max", row["length_max_cycles"], lengths[-1])

    def check_slowest(self):
        rows = self.analyzer("slowest", "--limit", "30")["rows"]
        wanted = sorted((e.cycles - e.halted for e in self.exits), reverse=True)[:30]
        self.same("slowest", [r["time_cycles"] - (r["halted_cycles"] or 0) for r in rows], wanted)

    def check_states(self):
        """Shares of the time that the command says the vCPUs lived; that is tried in states_test."""
        if not self.has_split:
            return
        for row in self.analyzer("states", "--by", "vcpu")["rows"]:
            parts = collections.Counter()
            for e in self.every:
                # What an exit has within the window.
                inside = min(e.tsc + e.cycles, self.high, self.length) - max(e.tsc, self.low)
                if (e.vm, self.vcpu_id[e.vcpu]) != (row["vm"], row["vcpu"]) or inside <= 0:
                    continue
                share = inside / e.cycles
                for name, value in (("handler", handler(e)), ("userspace", e.userspace), ("halted", e.halted),
                                    ("waiting", e.preempted), ("polled", e.polled or 0)):
                    parts[name] += value * share
            if row["polled"] is None:
                del parts["polled"]
            parts["halted"] -= parts["polled"]
            for name, value in parts.items():
                if row[name] is not None and abs(row[name] * row["wall_cycles"] - value) > 8:  # whole cycles
                    self.same(f"states {row['vcpu']} {name}", row[name] * row["wall_cycles"], value, 1e-6)

    def check_explain(self):
        if self.window:
            return
        groups, lost = self.group(lambda e: e.reason), self.lost_by("reason")
        every = len(self.exits) + sum(lost.values())
        for row in self.analyzer("explain")["reasons"]:
            exits = groups.get(row["reason"], [])
            self.same(f"explain {row['reason']}", row["exits"], len(exits) + lost[row["reason"]])
            self.same(f"explain {row['reason']} share", row["share"], (len(exits) + lost[row["reason"]]) / every, 1e-8)
            if exits:
                self.same(f"explain {row['reason']} p50", row["p50_cycles"], quantile(sorted(e.cycles for e in exits), 0.5),
                          ERROR)

    def check_all(self):
        self.check_top()
        self.check_latency()
        self.check_timeline()
        self.check_histogram()
        self.check_sequences()
        self.check_slowest()
        self.check_states()
        self.check_explain()


def busy(run, name):
    """Share of the vCPUs' time within the window that exits of that name (None: all) took, without the halted part."""
    high = min(run.high, run.length)
    room = sum(max(0, min(life[3], high) - max(life[2], run.low)) for life in run.lives)
    cycles = 0
    for e in run.every:
        inside = min(e.tsc + e.cycles, high) - max(e.tsc, run.low)
        if inside > 0 and name in (None, e.name):
            cycles += (e.cycles - e.halted) * inside / e.cycles
    return cycles / room if room and run.has_split else None


def check_compare(check, program, database, a, b):
    """Counts, rates, shares of time and percentiles of two runs in the same window beside each other."""
    if a.isa == b.isa and (a.exits or b.exits):  # else it is refused
        command = [program, "--db", database, "compare", str(a.id), str(b.id), *a.words[2:], "--format", "json", "--cycles"]
        got = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for row in got["rows"]:
            for side, run in (("a", a), ("b", b)):
                exits = [e for e in run.exits if e.name == row["name"]]
                lost = run.lost_by("reason")[row["reason"]]
                run.same(f"compare {row['name']} exits", row["exits_" + side], len(exits) + lost)
                run.same(f"compare {row['name']} per_s", row["per_s_" + side], (len(exits) + lost) / run.seconds, 1e-8)
                for column in ("p50", "p99"):
                    times = sorted(e.cycles for e in exits)
                    run.same(f"compare {row['name']} {column}", row[f"{column}_{side}_cycles"],
                             quantile(times, QUANTILES[column]) if times else None, ERROR)
                mean = sum(handler(e) for e in exits) / len(exits) if exits and run.has_split else None
                run.same(f"compare {row['name']} handler", row[f"handler_{side}_cycles"], mean, 1e-9)
                run.same(f"compare {row['name']} busy", row["busy_of_vcpu_" + side], busy(run, row["name"]), 1e-6)
        for side, run in (("a", a), ("b", b)) if len(got["rows"]) > 1 else ():
            run.same("compare busy", got["total"][0]["busy_of_vcpu_" + side], busy(run, None), 1e-6)


def main():
    program, databases = sys.argv[1], sys.argv[2:]
    check = Check()
    for database in databases:
        db = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
        whole = []
        for row in db.execute(RUNS).fetchall():
            ns = row[4] * 1000000 // row[2]
            every = [Exit(*e) for e in db.execute(EXITS, {"run": row[0], "start": row[1]})]
            for window in (None, (ns // 10, ns * 13 // 100), (ns // 2, ns * 9 // 10)):
                run = Run(check, program, database, db, row, every, window)
                if run.exits:
                    run.check_all()
                if not window:
                    whole.append(run)
        for (a, b) in zip(whole, whole[1:]):
            check_compare(check, program, database, a, b)
            # Windows of 50 ms that the longest exit of the first half reaches into and out of.
            longest = max((e for e in a.every if e.tsc < a.length / 2), key=lambda e: e.cycles)
            cut = (longest.tsc + longest.cycles // 2) * 1000000 // a.khz
            for window in ((cut, cut + 50000000), (max(0, cut - 50000000), cut)):
                check_compare(check, program, database, *(Run(check, program, database, db, run.row, run.every, window)
                                                          for run in (a, b)))
    for line in check.wrong[:20]:
        print(line)
    print(f"{check.figures} figures recomputed from the rows, {len(check.wrong)} wrong")
    sys.exit(1 if check.wrong or not check.figures else 0)


if __name__ == "__main__":
    main()
