# SPDX-License-Identifier: GPL-2.0-only
"""Recordings: opened for reading, and compared bit by bit: their checksum, and where two of them
begin to differ."""

import hashlib
import itertools
import pathlib
import sqlite3

# The records come first: what differs there is why the sums over them differ, too.
FIRST_TABLE = "exit"


def checksum(path):
    """SHA-256 of a database as a file, in hex digits."""
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def open_recording(path):
    """A connection that can't write; its rows have names. Raises sqlite3.Error without a file."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    return db


def _tables(db):
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' "
                                          "AND name NOT LIKE 'sqlite_%' ORDER BY name")]
    return sorted(names, key=lambda name: name != FIRST_TABLE)


def _differing_columns(one, other):
    """Text: the columns in which two rows differ, with both values."""
    if one is None or other is None:
        return f"only in the {'second' if one is None else 'first'} recording"
    return ", ".join(f"{name} {one[name]} and {other[name]}" for name in one.keys()
                     if one[name] != other[name])


def _first_in_table(table, one, other):
    query = f'SELECT * FROM "{table}"'  # a name of sqlite_schema in both
    rows = itertools.zip_longest(one.execute(query), other.execute(query))
    for number, (left, right) in enumerate(rows):
        if left is None or right is None or tuple(left) != tuple(right):
            return f"table {table}, row {number}: {_differing_columns(left, right)}"
    return None


def first_difference(path, other_path):
    """One line: the first row that differs, rows of table exit before all others; None if the
    files have the same rows. Raises sqlite3.Error if one is not a recording."""
    one, other = open_recording(path), open_recording(other_path)
    try:
        tables = _tables(one)
        if tables != _tables(other):
            return "the tables differ"
        found = (_first_in_table(table, one, other) for table in tables)
        return next(filter(None, found), None)
    finally:
        one.close()
        other.close()
