# SPDX-License-Identifier: GPL-2.0-only
"""import_run.py - imports of recordings, and checks of what the collector made of them

For the tests import_*_test.py, whose arguments are COLLECTOR ANALYZER RECORDING...
"""
import os
import sqlite3
import subprocess
import sys

COLLECTOR = os.path.abspath(sys.argv[1])
ANALYZER = os.path.abspath(sys.argv[2])
REAL = {os.path.basename(p)[:-3]: os.path.abspath(p) for p in sys.argv[3:]}
os.chdir(os.environ["TEST_TMPDIR"])
failures = 0


class Run:
    """What an import made of a file."""

    def __init__(self, path, *options):
        if os.path.exists("x.sqlite"):
            os.remove("x.sqlite")
        done = subprocess.run([COLLECTOR, "import", path, "--db", "x.sqlite", *options],
                              stderr=subprocess.PIPE, text=True)
        self.status, self.words = done.returncode, done.stderr
        self.db = sqlite3.connect("x.sqlite") if done.returncode == 0 else None

    def one(self, sql):
        row = self.db.execute(sql).fetchone() if self.db else None
        return None if row is None else row[0] if len(row) == 1 else tuple(row)

    def counts(self):
        """recorded, dropped, open"""
        return self.one("SELECT sum(recorded), sum(dropped), sum(open_exits) FROM vcpu")

    def shape(self):
        """VMs, vCPUs"""
        return self.one("SELECT count(DISTINCT vm_id), count(*) FROM vcpu")


def expect(what, got, right):
    global failures
    if got != right:
        failures += 1
        print(f"FAILED: {what}: {got!r}, not {right!r}")


def says(what, run, words):
    expect(f"{what}: says '{words}' in: {run.words}", words in run.words, True)


def silent(what, run, words):
    expect(f"{what}: does not say '{words}' in: {run.words}", words in run.words, False)


def refused(what, path, words, *options):
    run = Run(path, *options)
    expect(f"{what}: status ({run.words})", run.status, 1)
    expect(f"{what}: lines of {run.words!r}", run.words.count("\n"), 1)
    says(what, run, words)
    expect(f"{what}: no database", os.path.exists("x.sqlite"), False)


def analyzer(command):
    return subprocess.run([ANALYZER, command, "--db", "x.sqlite"], stdout=subprocess.PIPE, text=True).stdout


def possible(what, run):
    """The exits of one vCPU never add up to more than the run."""
    expect(f"{what}: vCPUs with more time than the run",
           run.one("SELECT count(*) FROM (SELECT sum(cycles) AS c FROM exit GROUP BY vcpu), run"
                   " WHERE c > tsc_end - tsc_start"), 0)


def complete(what, path, count, *options):
    """count exits of 300 ns, none lost"""
    run = Run(path, *options)
    expect(f"{what}: ({run.words})", run.counts(), (count, 0, 0))
    expect(f"{what}: durations", run.one("SELECT min(cycles), max(cycles) FROM exit"), (300, 300))
    return run


def survives_damage(whole, path, step):
    """Cut off anywhere and with bytes changed: a line or a database, never a crash."""
    for at in range(0, len(whole), step):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:]):
            open(path, "wb").write(data or b"\0")
            run = Run(path)
            expect(f"damaged at {at}: status ({run.words})", run.status in (0, 1), True)
            expect(f"damaged at {at}: lines", run.status == 0 or run.words.count("\n") == 1, True)


def run_tests(tests):
    """Runs the functions test_* of a test's globals() and ends with its exit status."""
    for name, test in list(tests.items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
        except Exception as error:  # what is missing in the database
            expect(name, error, None)
    print(f"{failures} failures")
    sys.exit(failures != 0)
