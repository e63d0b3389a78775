#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""width_test.py ANALYZER DATABASE: tables fit a terminal of 80 columns."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import terminal  # noqa: E402 pylint: disable=wrong-import-position

ANALYZER, DATABASE = (os.path.abspath(p) for p in sys.argv[1:3])
COMMANDS = ["top-exits", "top-exits --by vcpu", "latency", "compare ept shadow", "compare ept shadow --total",
            "sequences", "verify", "vmx-caps", "timeline", "timeline --table phases", "timeline --table reasons",
            "slowest", "live --plain --count 1", "live --plain --count 1 --by vm", "baseline shadow", "ipi", "list"]


class WidthTest(unittest.TestCase):
    def test_tables_fit(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                run = [] if command.startswith("compare") else ["--run", "1"]
                table = terminal.table_lines(terminal.show(ANALYZER, "--db", DATABASE, *command.split(), *run))
                self.assertGreater(len(table), 1)
                self.assertEqual([line for line in table if len(line) > terminal.COLUMNS], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
