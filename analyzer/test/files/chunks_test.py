#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""chunks_test.py ANALYZER DATABASE... - a compact copy gives the same answers

Every command prints the same of a database and of its compact copy, except the ids of exits;
analyzer expand gives every row back; a damaged chunk is said.
"""
import collections
import csv
import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ANALYZER, *GIVEN = map(os.path.abspath, sys.argv[1:])

# What a record can have; hand-made rows may lack a flag.
AS_RECORDED = """
UPDATE exit SET
  flags = flags & ~0x1800 | (key IS NOT NULL) * 0x800 | (cr3 IS NOT NULL) * 0x1000,
  key_aux = CASE WHEN key IS NOT NULL THEN coalesce(key_aux, 0) END,
  value = nullif(value, 0),
  requests = nullif(requests, 0),
  entry_event = nullif(entry_event, 0),
  polled_cycles = nullif(polled_cycles, 0),
  run_errno = nullif(run_errno, 0),
  entry_error_code = nullif(entry_error_code, 0)
"""

COMMANDS = (
    ["runs", "--vcpus"], ["top-exits", "--exact"], ["top-exits", "--by", "subkey"],
    ["top-exits", "--by", "subkey", "--limit", "0"], ["top-exits", "--by", "rip", "--limit", "0"], ["top-exits", "--by", "vcpu", "--exact"],
    ["top-exits", "--from", "300ms", "--to", "2s"], ["latency", "--exact"], ["histogram", "--exact"],
    ["top-exits", "--by", "cr3"], ["top-exits", "--by", "region"], ["top-exits", "--by", "pcpu"],
    ["top-exits", "--by", "userspace-reason", "--exact"], ["top-exits", "--by", "vm", "--exact"],
    ["latency", "--exact", "--handler"], ["top-exits", "--exact", "--reason", "!EPT_VIOLATION"],
    ["top-exits", "--by", "subkey", "--from", "300ms", "--to", "2s"],
    ["timeline"], ["timeline", "--table", "phases"], ["list", "--limit", "20"],
    ["list", "--from", "500ms", "--limit", "50"], ["slowest", "--limit", "5"], ["sequences"],
    ["verify"], ["findings"], ["states"], ["export", "--format", "ndjson"],
    ["export", "--format", "folded"], ["export", "--format", "perfetto"],
    ["sql", "SELECT reason_name, key_text, count(*), sum(ns) FROM exits GROUP BY 1, 2 ORDER BY 1, 2"],
    ["sql", "SELECT count(*), sum(seq), min(tsc), max(tsc) FROM exit_rows"],
)


def analyzer(*words):
    done = subprocess.run([ANALYZER, *words], capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def first_difference(got, right):
    """Of two pairs of exit status and output; unittest itself would search it for minutes."""
    if got == right:
        return None
    lines = zip(got[1].split(b"\n"), right[1].split(b"\n"))
    return next((pair for pair in lines if pair[0] != pair[1]), "status or number of lines")


def rows(path, sql):
    database = sqlite3.connect(path)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def some_difference(left_path, right_path, sql):
    """A row that one of two databases has more often than the other; None: there is none.

    Rows are kept as hashes: unittest, given all of them at once, would take hours.
    """
    counts = collections.Counter()
    for path, step in ((left_path, 1), (right_path, -1)):
        database = sqlite3.connect(path)
        for row in database.execute(sql):
            counts[hash(repr(row))] += step
        database.close()

    for path in (left_path, right_path):
        database = sqlite3.connect(path)
        for row in database.execute(sql):
            if counts[hash(repr(row))]:
                return row
        database.close()
    return None


def prepare(folder):
    """Copies of the databases, which are read only where they are."""
    for number, given in enumerate(GIVEN):
        path = os.path.join(folder, f"given{number}.sqlite")
        shutil.copy(given, path)
        os.chmod(path, 0o644)
        database = sqlite3.connect(path)
        database.execute(AS_RECORDED)
        database.commit()
        database.close()
        DATABASES.append(path)


DATABASES = []


class ChunksTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.compact = os.path.join(folder.name, "compact.sqlite")
        self.rows = os.path.join(folder.name, "rows.sqlite")

    def copy(self, command, *paths):
        status, out, err = analyzer(command, *paths, "--format", "csv")
        self.assertEqual((status, err), (0, b""))
        return out

    def test_every_command_says_the_same(self):
        for database in DATABASES:
            self.copy("compact", database, self.compact)
            for command in COMMANDS:
                with self.subTest(database=database, command=" ".join(command)):
                    right = analyzer("--db", database, *command)
                    got = analyzer("--db", self.compact, *command)
                    self.assertIsNone(first_difference(got[:2], right[:2]), got[2])
            os.unlink(self.compact)

    def windows(self):
        """Windows of run 1 that begin or end at an end of its second chunk, or inside of it.

        The TSC of that recording has 200 MHz, so a time in ns names each cycle.
        """
        (start, khz), = rows(self.compact, "SELECT tsc_start, tsc_khz FROM run WHERE id = 1")
        _, (first, last), (following, _), *_ = rows(self.compact, """SELECT first_tsc, last_tsc
            FROM exit_chunk WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = 1)
            ORDER BY first_tsc""")
        self.assertEqual(khz, 200000)
        inside = (first + last) // 2
        for name, tsc in (("its first exit", first), ("the next exit", first + 1), ("inside", inside),
                          ("its last exit", last), ("after it", last + 1), ("the next chunk", following + 1)):
            yield f"up to {name}", ("--to", f"{(tsc - start) * 5}ns")
            yield f"from {name}", ("--from", f"{(tsc - start) * 5}ns")
        yield "a whole chunk", ("--from", f"{(first - start) * 5}ns", "--to", f"{(last + 1 - start) * 5}ns")

    def test_windows_that_cut_chunks(self):
        """An exit belongs to a window by its own TSC, not by that of its chunk."""
        database = DATABASES[0]
        self.copy("compact", database, self.compact)
        counts = set()
        for name, window in self.windows():
            for command in (["top-exits", "--exact"], ["top-exits", "--by", "subkey"], ["slowest"]):
                with self.subTest(name, command=" ".join(command)):
                    right = analyzer("--db", database, *command, "--run", "1", *window)
                    got = analyzer("--db", self.compact, *command, "--run", "1", *window)
                    self.assertEqual(right[0], 0, right[2])
                    self.assertIsNone(first_difference(got[:2], right[:2]), got[2])
            counts.add(sum(int(row["exits"]) for row in self.table(self.compact, "--exact", "--run", "1", *window)))
        # All differ, but that the chunk before has as many exits as the whole one.
        self.assertEqual(len(counts), 12)

    def table(self, path, *words):
        """Rows of top-exits as dictionaries."""
        status, out, _ = analyzer("--db", path, "top-exits", "--format", "csv", "--limit", "0", *words)
        self.assertEqual(status, 0)
        return list(csv.DictReader(io.StringIO(out.decode())))

    def test_chosen_columns(self):
        """What is read for the columns that are chosen alone is what it is among all."""
        database = DATABASES[0]
        self.copy("compact", database, self.compact)
        for path in (database, self.compact):
            for question in (["--exact"], ["--by", "subkey"], ["--by", "rip", "--sort", "p99"]):
                whole = self.table(path, *question)
                self.assertGreater(len({row["p99_ns"] for row in whole}), 3)
                for choice in ("exits,time,max", "exits,p50", "p99", "max,p90_by_p10,exits"):
                    rows = self.table(path, *question, "--columns", choice)
                    names = [name if name in whole[0] else name + "_ns" for name in choice.split(",")]
                    with self.subTest(path=path, question=" ".join(question), choice=choice):
                        self.assertEqual([[row[name] for name in names] for row in rows],
                                         [[row[name] for name in names] for row in whole])

    def test_rows_come_back(self):
        for database in DATABASES:
            self.copy("compact", database, self.compact)
            out = self.copy("expand", self.compact, self.rows)
            self.assertIn(b"file,exits,bytes,bytes_per_exit", out)
            tables = rows(database, "SELECT name FROM sqlite_schema WHERE type = 'table'")
            for (table,) in tables:
                with self.subTest(database=database, table=table):
                    every = f"SELECT * FROM {table}"
                    self.assertIsNone(some_difference(self.rows, database, every))
            os.unlink(self.compact)
            os.unlink(self.rows)

    def test_copy_has_no_more_rights(self):
        """Who may not read the database may not read a copy of it."""
        private = os.path.join(os.path.dirname(self.compact), "private.sqlite")
        shutil.copy(DATABASES[0], private)
        before = os.umask(0o022)
        self.addCleanup(os.umask, before)
        for mode, copy_mode in ((0o600, 0o600), (0o640, 0o640), (0o444, 0o644)):
            os.chmod(private, mode)
            self.copy("compact", private, self.compact)
            os.chmod(self.compact, mode)
            self.copy("expand", self.compact, self.rows)
            self.assertEqual(os.stat(self.rows).st_mode & 0o777, copy_mode)
            os.unlink(self.compact)
            self.copy("compact", private, self.compact)
            self.assertEqual(os.stat(self.compact).st_mode & 0o777, copy_mode)
            os.unlink(self.compact)
            os.unlink(self.rows)

    def test_damage_is_said(self):
        self.copy("compact", DATABASES[0], self.compact)
        database = sqlite3.connect(self.compact)
        (lost,), = database.execute(
            "UPDATE exit_chunk SET data = zeroblob(50) WHERE id = 1 RETURNING n")
        (exits,), = database.execute("SELECT sum(n) FROM exit_chunk")
        database.commit()
        database.close()
        words = f"analyzer: {self.compact}: 1 damaged chunks: their {lost} exits are left out\n".encode()

        status, out, err = analyzer("--db", self.compact, "sql", "SELECT count(*) FROM exits",
                                    "--format", "csv")
        self.assertEqual((status, out.split()[-1], err), (1, str(exits - lost).encode(), words))

        # Commands that read chunks column by column, and those that read them as rows.
        for command in (["top-exits", "--exact"], ["top-exits", "--by", "rip"], ["latency", "--exact"],
                        ["slowest"], ["list"]):
            with self.subTest(" ".join(command)):
                status, _, err = analyzer("--db", self.compact, *command, "--run", "1")
                self.assertEqual((status, err.splitlines()[-1:]), (1, words.splitlines()))
        status, _, err = analyzer("expand", self.compact, self.rows)
        self.assertEqual((status, err), (1, words))
        self.assertEqual(rows(self.rows, "SELECT count(*) FROM exit"), [(exits - lost,)])

    def test_last_exits_only(self):
        """Old chunks were deleted: figures begin where all vCPUs have all of their exits."""
        recorded, fixture = DATABASES
        for database, gone, begin in (
                (recorded, "id = 1", "SELECT tsc FROM exit WHERE vcpu = 1 ORDER BY rowid LIMIT 1 OFFSET 16384"),
                (fixture, "vcpu = 1", "SELECT max(tsc) + 1 FROM exit WHERE vcpu = 1")):
            self.copy("compact", database, self.compact)
            compact = sqlite3.connect(self.compact)
            compact.execute("UPDATE run SET has_raw = 2 WHERE id = 1")
            compact.execute(f"DELETE FROM exit_chunk WHERE {gone}")
            compact.commit()
            compact.close()
            (right,), = rows(database, f"""SELECT count(*) FROM exit
                WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = 1) AND tsc >= ({begin})""")

            status, out, err = analyzer("--db", self.compact, "top-exits", "--exact", "--run", "1",
                                        "--limit", "0", "--format", "csv", "--columns", "exits")
            got = sum(int(line.split(b",")[0]) for line in out.splitlines()[1:])
            with self.subTest(database=database):
                self.assertEqual((status, got > 0, got), (0, True, right), err)
            os.unlink(self.compact)

    def test_refused(self):
        database = DATABASES[0]
        for words, message in (
                (["compact", database], b"name a database and a new file"),
                (["compact", database, database], b"the file exists"),
                (["expand", "/dev/null", self.rows], b"not a file"),
                (["compact", "--cycles", database, self.rows], b"--cycles"),
                (["compact", database, "/nowhere/x"], b"/nowhere/x: No such file")):
            with self.subTest(" ".join(words)):
                status, out, err = analyzer(*words)
                self.assertEqual((status, out, err.count(b"\n")), (1, b"", 1), err)
                self.assertIn(message, err)
        self.assertFalse(os.path.exists(self.rows))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        prepare(made)
        unittest.main(argv=sys.argv[:1])
