#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""columns_test.py DATABASE VIEWS.sql - have the views of a server the columns of a recording's?

The names alone, from the text: servers themselves, and values, are clickhouse_test's.
"""
import os
import re
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import same_views  # noqa: E402

DATABASE, VIEWS = sys.argv[1:3]


def top_level(text):
    """The text without what is in parentheses."""
    depth, out = 0, []
    for letter in re.sub(r"--.*", "", text):
        depth -= letter == ")"
        if not depth:
            out.append(letter)
        depth += letter == "("
    return "".join(out)


def columns_there(name):
    """Names of the columns that the view's SELECT ends in; an alias is the last word."""
    with open(VIEWS, encoding="utf-8") as file:
        body = re.search(rf"CREATE VIEW exitscope\.{name} AS\s+SELECT(.*?);\n", file.read(), re.DOTALL).group(1)
    listed = re.split(r"\bFROM\b", top_level(body))[0]
    return {re.search(r"(\w+)\W*\Z", column).group(1) for column in listed.split(",")}


class ColumnsTest(unittest.TestCase):
    def test_columns(self):
        db = sqlite3.connect(f"file:{DATABASE}?mode=ro&immutable=1", uri=True)
        self.addCleanup(db.close)
        for view in same_views.VIEWS:
            with self.subTest(view=view):
                here = {column[0] for column in db.execute(f"SELECT * FROM {view} LIMIT 0").description}
                self.assertGreater(len(here), 4)
                self.assertEqual(here - columns_there(view), set())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
