#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""faults.py COLLECTOR MAKE_CAPTURE SHIM [--full] [--seed N] [CASE...] - what goes wrong while a database is written

Each case does something to a collector that stores a capture into a database which has a run
already: kills it, fills the disk, has system calls fail, moves or deletes the file, locks it. Then

  - the status is 0 or 1; with 1 there is one line that says what was wrong,
  - the database is sound: integrity, and the sums, histograms, losses and counts of each vCPU are
    those of its rows,
  - the run before is whole,
  - nothing is lost: with status 0 all records are there; what a reader saw stored before a SIGKILL
    is there after it; what the line says is kept is there.

A table says how often each was tried and how it ended. --full: as often as the table in README.md.
"""
import argparse
import collections
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

PER_VCPU, VCPUS = 30000, 4
SMALL, BIG = 500, PER_VCPU * VCPUS
DATABASE = "run.sqlite"
PATIENCE_S = 300


@dataclass
class Result:
    """How one try ended: in which kind of way, and what is wrong with it."""
    end: str
    wrong: list = field(default_factory=list)


class Bench:
    """The programs, and the folder that they work in."""

    def __init__(self, arguments):
        self.collector, self.make_capture, self.shim = map(
            os.path.abspath, (arguments.collector, arguments.make_capture, arguments.shim))
        self.full = arguments.full
        self.chance = random.Random(arguments.seed)

    def make_captures(self):
        for name, records, vcpus in (("small.cap", SMALL, 1), ("big.cap", PER_VCPU, VCPUS)):
            subprocess.run([self.make_capture, "--records", str(records), "--vcpus", str(vcpus), "--seed", "1", name],
                           check=True, stdout=subprocess.DEVNULL)

    def often(self, quick, full):
        return full if self.full else quick

    def command(self, source="big.cap", database=DATABASE, flush="5ms"):
        return [self.collector, "--from", source, "--db", database, "--flush", flush]

    def shimmed(self, calls, at=0, error=0, sticks=False, slow_us=0, path=DATABASE):
        """The environment in which system calls fail or are slow; see shim.c."""
        environment = dict(os.environ, LD_PRELOAD=self.shim, FAULT_PATH=path, FAULT_CALLS=calls, FAULT_AT=str(at),
                           FAULT_ERRNO=str(error), FAULT_SLOW_US=str(slow_us), FAULT_COUNT="count")
        if sticks:
            environment["FAULT_STICKS"] = "1"
        return environment

    def slow(self):
        """So that a recording takes half a second."""
        return self.shimmed("w", slow_us=200)

    def start(self, environment=None, **options):
        return subprocess.Popen(self.command(**options), stderr=subprocess.PIPE, text=True, env=environment)

    def run(self, environment=None, limit=None, **options):
        def before():
            if limit:
                resource.setrlimit(limit[0], (limit[1], limit[1]))
        done = subprocess.run(self.command(**options), stderr=subprocess.PIPE, text=True, env=environment,
                              preexec_fn=before, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stderr

    def fresh(self, with_run=True, folder="."):
        """No database, or one with a small run."""
        for name in os.listdir(folder):
            if name.startswith((DATABASE, "moved.sqlite")):
                os.unlink(os.path.join(folder, name))
        if with_run:
            status, words = self.run(source="small.cap", database=os.path.join(folder, DATABASE))
            assert status == 0, words


# What must hold afterwards

def unsound(path):
    """What is wrong with a database, in words."""
    wrong = []
    with sqlite3.connect(path) as db:
        if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            wrong.append("integrity")
        if db.execute("PRAGMA foreign_key_check").fetchall():
            wrong.append("foreign keys")
        for vcpu, recorded, dropped in db.execute("SELECT id, recorded, dropped FROM vcpu").fetchall():
            rows = db.execute("SELECT count(*), count(DISTINCT seq), coalesce(sum(cycles), 0), coalesce(max(seq) - min(seq) + 1, 0)"
                              " FROM exit WHERE vcpu = ?", (vcpu,)).fetchone()
            sums = db.execute("SELECT coalesce(sum(n), 0), coalesce(sum(cycles), 0) FROM exit_rollup WHERE vcpu = ?",
                              (vcpu,)).fetchone()
            parts = db.execute("SELECT sum(n) FROM interval_histograms WHERE vcpu = ? AND part < 2 GROUP BY part", (vcpu,)).fetchall()
            losses = db.execute("SELECT coalesce(sum(n), 0) FROM loss WHERE vcpu = ?", (vcpu,)).fetchone()[0]
            if not rows[0] == rows[1] == recorded == sums[0] or rows[2] != sums[1] or losses != dropped:
                wrong.append(f"vCPU {vcpu}: {recorded} recorded, rows {rows}, sums {sums}, {losses} of {dropped} lost")
            if any(part != (recorded,) for part in parts) or (recorded and not parts):
                wrong.append(f"vCPU {vcpu}: {recorded} recorded, histograms of {parts}")
            if rows[3] != rows[0]:
                wrong.append(f"vCPU {vcpu}: a gap")
    db.close()
    return wrong


def runs(path):
    """(records, state) of each run."""
    db = sqlite3.connect(path)
    found = db.execute("SELECT coalesce(sum(c.recorded), 0), r.state FROM run r LEFT JOIN vm m ON m.run_id = r.id"
                       " LEFT JOIN vcpu c ON c.vm_id = m.id GROUP BY r.id ORDER BY r.id").fetchall()
    db.close()
    return found


def judge(status, words, path=DATABASE, before=1, kept=None):
    """@before: runs that were there; @kept: that many records of ours must be there at least."""
    if not os.path.exists(path):
        ours, wrong, found = [], ["the run before is gone"] if before else [], []
    else:
        wrong, found = unsound(path), runs(path)
        ours = found[before:]
    if [run for run in found[:before] if run != (SMALL, "complete")] or len(found) < before:
        wrong.append(f"the run before: {found[:before]}")
    if len(ours) > 1 or any(state == "complete" and records != BIG for records, state in ours):
        wrong.append(f"runs: {found}")
    if status not in (0, 1):
        wrong.append(f"status {status}: {words}")
    if status == 0 and ours != [(BIG, "complete")]:
        wrong.append(f"lost: status 0 with {ours}: {words}")
    if status == 1 and (words.count("\n") != 1 or not words.startswith("collector: ")):
        wrong.append(f"not one line: {words!r}")
    if kept is not None and sum(records for records, _ in ours) < kept:
        wrong.append(f"lost: {kept} were seen, {ours} are there")
    told = re.search(r"; (\d+) records up to the last flush stay", words)
    if told and [records for records, _ in ours] not in ([int(told[1])], [] if told[1] == "0" else None):
        wrong.append(f"lost: {words.strip()}: {ours}")
    end = ("all stored" if ours and ours[0] == (BIG, "complete") else
           "refused, or taken back" if not ours else "kept up to a flush")
    return Result(f"status {status}, {end}" if status in (0, 1) else end, wrong)


def stored(path):
    """Records of all runs that a reader sees."""
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
        count = db.execute("SELECT coalesce(sum(recorded), 0) FROM vcpu").fetchone()[0]
        db.close()
        return count
    except sqlite3.Error:
        return 0


# Cases: each yields results

def kill(bench):
    """SIGKILL at a random instant"""
    for _ in range(bench.often(8, 200)):
        bench.fresh()
        running = bench.start(bench.slow() if bench.chance.random() < 0.7 else None)
        time.sleep(bench.chance.uniform(0, 0.7))
        seen = stored(DATABASE) - SMALL
        running.kill()
        ended = running.wait() != -signal.SIGKILL
        running.stderr.close()
        result = judge(0 if ended else 1, "collector: killed\n", kept=max(seen, 0))
        # The next collector finds it as it is, and says that it was interrupted.
        bench.run(source="small.cap")
        result.wrong += unsound(DATABASE)
        if any(state == "recording" for _, state in runs(DATABASE)):
            result.wrong.append("a dead run still records")
        result.end = result.end.replace("status 1, ", "killed, ")
        yield result


def disk_full(bench):
    """a disk of a random size"""
    os.makedirs("disk", exist_ok=True)
    for i in range(bench.often(3, 40)):
        size = int(2 ** bench.chance.uniform(9 if i % 2 else 6, 14.2))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", "disk"], check=False,
                                 stderr=subprocess.DEVNULL)
        if mounted.returncode:
            yield Result("skipped: can't mount")
            return
        database, before = os.path.join("disk", DATABASE), 0
        if i % 2 and bench.run(source="small.cap", database=database)[0] == 0:
            before = 1
        status, words = bench.run(database=database, flush=bench.chance.choice(("1ms", "20ms", "1h")))
        result = judge(status, words, database, before)
        if not before and status and not os.path.exists(database) and os.listdir("disk"):
            result.wrong.append(f"left behind: {os.listdir('disk')}")
        subprocess.run(["umount", "disk"], check=True)
        yield result


def failing_call(bench, letters, error):
    """System calls of a kind: the Nth fails, or all from the Nth on."""
    bench.fresh()
    bench.run(bench.shimmed(letters))
    with open("count", encoding="ascii") as file:
        total = int(file.read())
    for i in range(bench.often(2, 24)):
        with_run = i % 2 == 0
        bench.fresh(with_run)
        # The first calls and the last are few and special.
        at = bench.chance.choice((bench.chance.randint(1, max(1, total)), bench.chance.randint(1, min(total, 20) or 1),
                                  max(1, total - bench.chance.randint(0, 5))))
        status, words = bench.run(bench.shimmed(letters, at, error, sticks=i % 4 > 1))
        result = judge(status, words, before=int(with_run))
        result.wrong = [f"{letters}, call {at}: {wrong}" for wrong in result.wrong]
        yield result


def eio(bench):
    """EIO at the Nth read, write, sync, truncate or mmap"""
    for letters in ("r", "w", "s", "t", "m"):
        yield from failing_call(bench, letters, 5)


def enospc(bench):
    """ENOSPC at the Nth write, sync or truncate"""
    for letters in ("w", "s", "t"):
        yield from failing_call(bench, letters, 28)


def two(bench):
    """two collectors"""
    for _ in range(bench.often(1, 10)):
        bench.fresh()
        first = bench.start(bench.slow())
        while stored(DATABASE) <= SMALL and first.poll() is None:
            time.sleep(0.01)
        status, words = bench.run(source="small.cap")
        result = judge(first.wait(), first.stderr.read())
        first.stderr.close()
        if status != 1 or "another collector writes it" not in words or words.count("\n") != 1:
            result.wrong.append(f"the second: {status} {words}")
        yield result


def interfere(bench, act, count):
    """Calls @act() while a collector writes; yields (status, words, what act() returned)."""
    for _ in range(count):
        bench.fresh()
        running = bench.start(bench.slow())
        while stored(DATABASE) <= SMALL and running.poll() is None:
            time.sleep(0.01)
        time.sleep(bench.chance.uniform(0, 0.2))
        ended, acted = running.poll() is not None, act()
        words = running.stderr.read()
        running.stderr.close()
        if not ended:
            yield running.wait(), words, acted


def found_in(words):
    """The file that a collector says it has saved all in."""
    found = re.search(r"\(all is in (.*?)\)", words)
    return found[1] if found else DATABASE


def moved(bench):
    """the file is moved"""
    for status, words, _ in interfere(bench, lambda: os.rename(DATABASE, "moved.sqlite"), bench.often(2, 20)):
        result = judge(status, words, found_in(words), kept=BIG)
        if status != 1 or "moved" not in words:
            result.wrong.append(f"not said: {status} {words}")
        yield result


def deleted(bench):
    """the file is deleted"""
    for status, words, _ in interfere(bench, lambda: os.unlink(DATABASE), bench.often(2, 20)):
        result = judge(status, words, found_in(words), kept=BIG)
        if status != 1 or "deleted" not in words:
            result.wrong.append(f"not said: {status} {words}")
        yield result


def replaced(bench):
    """another database takes its place"""
    def replace():
        other = sqlite3.connect("other.sqlite")
        other.execute("CREATE TABLE IF NOT EXISTS other (x)")
        other.close()
        os.rename("other.sqlite", DATABASE)

    for status, words, _ in interfere(bench, replace, bench.often(2, 20)):
        result = judge(status, words, found_in(words), kept=BIG)
        if status != 1 or "deleted" not in words:
            result.wrong.append(f"not said: {status} {words}")
        with sqlite3.connect(DATABASE) as other:
            if other.execute("SELECT name FROM sqlite_schema").fetchall() != [("other",)]:
                result.wrong.append("the other database was changed")
        yield result


def linked(bench):
    """a link to nothing takes its place"""
    def link():
        os.rename(DATABASE, "moved.sqlite")
        os.symlink("nowhere", DATABASE)

    for status, words, _ in interfere(bench, link, bench.often(2, 20)):
        result = judge(status, words, found_in(words), kept=BIG)
        if status != 1 or "moved" not in words or os.path.exists("nowhere"):
            result.wrong.append(f"not said: {status} {words}")
        yield result


def folder_deleted(bench):
    """the folder is deleted"""
    for _ in range(bench.often(2, 20)):
        shutil.rmtree("gone", ignore_errors=True)
        for name in os.listdir("."):
            if ".saved-" in name:
                os.unlink(name)
        os.mkdir("gone")
        database = os.path.join("gone", DATABASE)
        bench.fresh(folder="gone", with_run=False)
        running = bench.start(bench.slow(), database=database)
        while stored(database) == 0 and running.poll() is None:
            time.sleep(0.01)
        time.sleep(bench.chance.uniform(0, 0.2))
        ended = running.poll() is not None
        shutil.rmtree("gone")
        words = running.stderr.read()
        running.stderr.close()
        if ended:
            continue
        result = judge(running.wait(), words, found_in(words), before=0, kept=BIG)
        if running.returncode != 1 or "deleted" not in words:
            result.wrong.append(f"not said: {running.returncode} {words}")
        yield result


def side_deleted(bench):
    """the -wal or the -shm is deleted"""
    for side in ("-wal", "-shm"):
        for status, words, _ in interfere(bench, lambda side=side: os.unlink(DATABASE + side), bench.often(1, 10)):
            yield judge(status, words, kept=BIG)


def locked(bench):
    """another program writes for a while"""
    for how in ("IMMEDIATE", "EXCLUSIVE") * bench.often(1, 5):
        def lock(how=how):
            other = sqlite3.connect(DATABASE, isolation_level=None, timeout=20)
            other.execute(f"BEGIN {how}")
            time.sleep(8 if bench.full else 1)
            other.execute("ROLLBACK")
            other.close()
        for status, words, _ in interfere(bench, lock, 1):
            yield judge(status, words, kept=BIG)


def read_along(bench):
    """a reader that keeps its transaction"""
    for _ in range(bench.often(1, 10)):
        bench.fresh()
        reader = sqlite3.connect(DATABASE, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM exit").fetchone()
        status, words = bench.run()
        reader.close()
        yield judge(status, words, kept=BIG)


def stopped(bench):
    """SIGSTOP and SIGCONT, again and again"""
    for _ in range(bench.often(1, 10)):
        bench.fresh()
        running = bench.start(bench.slow())
        while running.poll() is None:
            running.send_signal(signal.SIGSTOP)
            time.sleep(0.02)
            running.send_signal(signal.SIGCONT)
            time.sleep(0.05)
        words = running.stderr.read()
        running.stderr.close()
        yield judge(running.returncode, words, kept=BIG)


def limited(bench, limit, values, way):
    """A resource limit: done, or one line that names the way out."""
    for i, value in enumerate(values):
        bench.fresh(i % 2 == 0)
        status, words = bench.run(limit=(limit, value))
        result = judge(status, words, before=int(i % 2 == 0))
        result.end += f" ({words.strip()})" if status == 1 and result.end.endswith("all stored") else ""
        if status == 1 and way not in words:
            result.wrong.append(f"limit {value}: no way out: {words.strip()}")
        result.wrong = [f"limit {value}: {wrong}" for wrong in result.wrong]
        yield result


def few_files(bench):
    """ulimit -n"""
    yield from limited(bench, resource.RLIMIT_NOFILE, bench.often((6, 8, 10), range(4, 24)), "ulimit -n")


def little_memory(bench):
    """ulimit -v"""
    sizes = bench.often((24, 40), (12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 36, 40, 44, 48, 56, 64, 80, 100, 150))
    yield from limited(bench, resource.RLIMIT_AS, [size << 20 for size in sizes], "ulimit -v")


def small_files(bench):
    """ulimit -f"""
    yield from limited(bench, resource.RLIMIT_FSIZE,
                       [kib << 10 for kib in bench.often((100, 1000), (0, 1, 20, 100, 300, 700, 1000, 2000, 4000, 100000))],
                       "ulimit -f")


def no_shared_memory(bench):
    """a file system without shared memory (mmap of the -shm fails)"""
    for error in (19, 22):
        for with_run in (False, True):
            bench.fresh(with_run)
            status, words = bench.run(bench.shimmed("m", 1, error, sticks=True, path="-shm"))
            result = judge(status, words, before=int(with_run))
            if status == 1 and "use --db" not in words:
                result.wrong.append(f"no way out: {words.strip()}")
            yield result


CASES = (kill, disk_full, eio, enospc, two, moved, deleted, replaced, linked, folder_deleted, side_deleted, locked, read_along,
         stopped, few_files, little_memory, small_files, no_shared_memory)


def run_cases(bench, names):
    failures = 0
    print("| fault | tried | how it ended | lost |\n| --- | --- | --- | --- |")
    for case in CASES:
        if names and case.__name__ not in names:
            continue
        results = list(case(bench))
        ends = collections.Counter(result.end for result in results)
        lost = sum(wrong.count("lost:") for result in results for wrong in result.wrong)
        wrong = [wrong for result in results for wrong in result.wrong]
        print(f"| {case.__doc__} | {len(results)} | {'; '.join(f'{n} {end}' for end, n in sorted(ends.items()))} | {lost} |")
        for text in wrong:
            print(f"FAILED: {case.__name__}: {text}")
        sys.stdout.flush()
        failures += len(wrong)
    return failures


def own_mounts():
    """Small disks need a mount namespace of our own."""
    if os.environ.get("FAULTS_INSIDE") or subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=False,
                                                         stderr=subprocess.DEVNULL).returncode:
        return
    os.environ["FAULTS_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "--map-root-user", "--mount", sys.executable, *sys.argv])


class Parser(argparse.ArgumentParser):
    def error(self, message):
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        self.exit(1, f"faults: {unknown[1] + ': unknown option' if unknown else message} (faults --help)\n")


def main():
    parser = Parser(prog="faults", description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("collector", "make_capture", "shim"):
        parser.add_argument(name)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(case.__name__ for case in CASES))
    arguments = parser.parse_intermixed_args()
    known = [case.__name__ for case in CASES]
    for name in arguments.cases:
        if name not in known:
            parser.error(f"{name}: no such case ({', '.join(known)})")
    own_mounts()
    bench = Bench(arguments)
    folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
    os.chdir(folder)
    print(f"seed {arguments.seed}, {BIG} records")
    try:
        bench.make_captures()
        failures = run_cases(bench, arguments.cases)
    finally:
        os.chdir("/")
        shutil.rmtree(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
