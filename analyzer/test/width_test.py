#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""width_test.py ANALYZER DATABASE RECORDED: tables fit a terminal of 80 columns."""
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unicodedata
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import terminal  # noqa: E402 pylint: disable=wrong-import-position

ANALYZER, DATABASE, RECORDED = (os.path.abspath(p) for p in sys.argv[1:4])
BY = ("reason", "vm", "vcpu", "subkey", "region", "rip", "userspace-reason", "pcpu")
COMMANDS = [*(f"top-exits --by {key}" for key in BY), "latency", "compare ept shadow",
            "compare ept shadow --total", "sequences", "verify", "vmx-caps", "timeline",
            "timeline --table phases", "timeline --table reasons", "slowest",
            "live --plain --count 1", "live --plain --count 1 --by vm", "live --log", "baseline shadow",
            "ipi", "list", "states", "states --by vcpu", "latency --by vm"]
NAMES = ("\u65e5\u672c\u8a9e\u30db\u30b9\u30c8", "a" * 120, "\u05e9\u05dc\u05d5\u05dd-vm", "e\u0301tat",
         "\u9577\u3044\u540d\u524d" * 20, "e\u0301" * 60, "emoji-\U0001f642" * 9)


def columns(text):
    """Columns of a terminal that a text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class WidthTest(unittest.TestCase):
    def fits(self, database, command, *run):
        table = terminal.table_lines(terminal.show(ANALYZER, "--db", database, *command.split(), *run))
        self.assertGreater(len(table), 1)
        self.assertEqual([line for line in table if len(line) > terminal.COLUMNS], [])

    def test_controls_can_be_told_apart(self):
        """Several MSRs have controls of one name: a narrow terminal has their numbers, too."""
        table = terminal.table_lines(terminal.show(ANALYZER, "--db", DATABASE, "vmx-caps", "--run", "1"))
        self.assertGreater(len(table), 100)
        self.assertEqual(len(set(table)), len(table))

    def test_sentences_are_broken_between_words(self):
        """Header, legend and notes fit, too, and nothing is lost."""
        for command in ("states --by vcpu", "states", "compare ept shadow", "findings", "explain"):
            with self.subTest(command=command):
                shown = terminal.show(ANALYZER, "--db", RECORDED, *command.split())
                self.assertEqual([line for line in shown if len(line) > terminal.COLUMNS], [])
                said = subprocess.run([ANALYZER, "--db", RECORDED, *command.split()], capture_output=True, text=True,
                                      check=True).stdout
                for sentence in said.splitlines():
                    if len(sentence) > terminal.COLUMNS and "  " not in sentence:
                        self.assertIn(sentence, " ".join(shown))

    def test_tables_fit(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                self.fits(DATABASE, command, *([] if command.startswith("compare") else ["--run", "1"]))

    def test_keys_of_a_recorded_boot(self):
        """Names, regions and meanings as long as they are in real recordings."""
        for key in BY:
            for limit in ("10", "0"):
                with self.subTest(key=key, limit=limit):
                    self.fits(RECORDED, f"top-exits --by {key} --limit {limit}", "--run", "1")

    def test_names_of_every_width(self):
        """Long names, and those of wide or combining characters: tables fit, and their columns are straight."""
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(DATABASE, os.path.join(folder, "run.sqlite"))
            os.chmod(path, 0o600)
            for one, other in zip(NAMES, NAMES[1:] + NAMES[:1]):
                with contextlib.closing(sqlite3.connect(path)) as database:
                    database.execute("INSERT OR REPLACE INTO vm_identity (vm, name, name_source)"
                                     " SELECT id, CASE id % 2 WHEN 0 THEN ? ELSE ? END, 'qemu' FROM vm", (one, other))
                    database.execute("UPDATE run SET features = 0x10")  # a column more: polled
                    database.commit()
                for command in ("states", "states --by vcpu", "top-exits --by vm", "latency --by vm", "ipi",
                                "runs --vcpus", "list --limit 9"):
                    with self.subTest(one=one, other=other, command=command):
                        table = terminal.table_lines(terminal.show(ANALYZER, "--db", path, *command.split(), *(
                            [] if command.startswith("runs") else ["--run", "1"])))
                        self.assertGreater(len(table), 2)
                        self.assertLessEqual(max(columns(line.rstrip()) for line in table), terminal.COLUMNS)
                        if command.startswith("states"):  # a bar ends every row
                            self.assertEqual(len({columns(line) for line in table[1:]}), 1, table)

    def test_moments_of_rows_differ(self):
        """Intervals of a window far from the start, and neighbours of an exit."""
        for command, column in (("timeline --from 2.537s --to 2.538s --limit 8", 0), ("slowest --around 1 --limit 1", 1)):
            lines = terminal.show(ANALYZER, "--db", RECORDED, *command.split(), "--run", "1")
            first = next(i for i, line in enumerate(lines) if line.split()[column:column + 1] in (["START"], ["AT"]))
            rows = []
            for line in lines[first + 1:]:
                if not line or line[0].isalpha() or line.startswith("("):
                    break
                rows.append(" ".join(line.split()[column:column + 2]))
            self.assertGreater(len(rows), 1, lines)
            self.assertEqual(len(rows), len(set(rows)), rows)

    def test_a_name_that_is_cut(self):
        """live --log cuts a VM's name between two characters of UTF-8, in the last column."""
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(DATABASE, os.path.join(folder, "run.sqlite"))
            os.chmod(path, 0o600)
            for name in "\u00e9" * 60, "a" + "\u00e9" * 60:
                with contextlib.closing(sqlite3.connect(path)) as database:
                    database.execute("INSERT OR REPLACE INTO vm_identity (vm, name, name_source)"
                                     " SELECT id, ?, 'qemu' FROM vm", (name,))
                    database.commit()
                lines = terminal.show(ANALYZER, "--db", path, "live", "--log", "--by", "vm", "--run", "1")
                self.assertEqual(len(lines[1]), terminal.COLUMNS)
                self.assertIn("\u00e9" * 5, lines[1])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
