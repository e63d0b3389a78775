#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What testbed/bed/recordings.py says of two databases that differ in one thing."""

import pathlib
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True

from bed.recordings import checksum, first_difference  # noqa: E402

CONTENT = """
CREATE TABLE run (id INTEGER PRIMARY KEY, started_ns INTEGER);
CREATE TABLE exit (seq INTEGER, cycles INTEGER);
INSERT INTO run VALUES (1, 1700000000);
INSERT INTO exit VALUES (0, 2800), (1, 2800), (2, 2814);
"""


class Recordings(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def make(self, name, change=""):
        path = pathlib.Path(self.folder.name) / name
        db = sqlite3.connect(path)
        db.executescript(CONTENT + change)
        db.close()
        return path

    def difference(self, change):
        """Between the content and the changed content."""
        one, other = self.make("one"), self.make("other", change)
        self.assertNotEqual(checksum(one), checksum(other))
        return first_difference(one, other)

    def test_equal_files(self):
        one, other = self.make("one"), self.make("other")
        self.assertEqual(checksum(one), checksum(other))
        self.assertIsNone(first_difference(one, other))

    def test_first_record_before_all_else(self):
        found = self.difference("UPDATE run SET started_ns = 0;"
                                "UPDATE exit SET cycles = cycles + 1 WHERE seq > 0;")
        self.assertEqual(found, "table exit, row 1: cycles 2800 and 2801")

    def test_record_more(self):
        found = self.difference("INSERT INTO exit VALUES (3, 1);")
        self.assertEqual(found, "table exit, row 3: only in the second recording")

    def test_record_less(self):
        found = self.difference("DELETE FROM exit WHERE seq = 2;")
        self.assertEqual(found, "table exit, row 2: only in the first recording")

    def test_other_table(self):
        found = self.difference("UPDATE run SET started_ns = 5;")
        self.assertEqual(found, "table run, row 0: started_ns 1700000000 and 5")

    def test_another_table(self):
        self.assertEqual(self.difference("CREATE TABLE loss (n INTEGER);"), "the tables differ")


if __name__ == "__main__":
    unittest.main()
