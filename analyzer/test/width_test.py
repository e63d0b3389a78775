#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""width_test.py ANALYZER DATABASE RECORDED: tables fit a terminal of 80 columns."""
import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import terminal  # noqa: E402 pylint: disable=wrong-import-position

ANALYZER, DATABASE, RECORDED = (os.path.abspath(p) for p in sys.argv[1:4])
BY = ("reason", "vm", "vcpu", "subkey", "region", "rip", "userspace-reason", "pcpu")
COMMANDS = [*(f"top-exits --by {key}" for key in BY), "latency", "compare ept shadow",
            "compare ept shadow --total", "sequences", "verify", "vmx-caps", "timeline",
            "timeline --table phases", "timeline --table reasons", "slowest",
            "live --plain --count 1", "live --plain --count 1 --by vm", "live --log", "baseline shadow",
            "ipi", "list"]


class WidthTest(unittest.TestCase):
    def fits(self, database, command, *run):
        table = terminal.table_lines(terminal.show(ANALYZER, "--db", database, *command.split(), *run))
        self.assertGreater(len(table), 1)
        self.assertEqual([line for line in table if len(line) > terminal.COLUMNS], [])

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
