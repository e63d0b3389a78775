# SPDX-License-Identifier: GPL-2.0-only
"""same_views.py - are the views of a server those of the recording, value by value?

    check(ask, "run.sqlite")     # ask(query): the server's answer as text
"""
import math
import re
import sqlite3

VIEWS = ("runs", "vms", "coverage", "losses", "crosschecks", "rollups", "top_exits",
         "exits_by_vcpu", "timeline",
         "histograms", "latency", "exits")
ESCAPES = {"t": "\t", "n": "\n", "\\": "\\", "'": "'", "0": "\0", "r": "\r", "b": "\b", "f": "\f"}


def parse(text):
    """A field of TabSeparated: None, a number or a text."""
    if text == "\\N":
        return None
    text = re.sub(r"\\(.)", lambda m: ESCAPES[m.group(1)], text)
    return text


def same(ours, theirs):
    """ours: of SQLite, typed; theirs: a text or None."""
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if isinstance(ours, int):
        return str(ours) == theirs
    if isinstance(ours, float):
        return math.isclose(ours, float(theirs), rel_tol=1e-12, abs_tol=1e-15)
    return ours == theirs


def check(ask, path, raw=True):
    """Compares each view of each run; returns how many rows were equal."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    count = 0
    runs = db.execute("SELECT id, coalesce(host, ''), started_ns, tsc_start FROM run").fetchall()
    for run, host, started, start in runs:
        keys = ask(f"SELECT run FROM exitscope.runs WHERE run_id = {run} AND ifNull(host, '') = '{host}'"
                   f" AND started_ns = {started} AND tsc_start = {start}").split()
        assert len(keys) == 1, (path, run, keys)
        for view in VIEWS:
            if view == "exits" and not raw:
                continue
            cursor = db.execute(f"SELECT * FROM {view} WHERE run = {run}")
            columns = [c[0] for c in cursor.description]
            ours = [[int(keys[0]) if name == "run" else value for name, value in zip(columns, row)]
                    for row in cursor]
            text = ask(f"SELECT {', '.join(columns)} FROM exitscope.{view} WHERE run = {keys[0]} FORMAT TabSeparated")
            theirs = [[parse(field) for field in line.split("\t")] for line in text.splitlines()]
            count += compare(view, columns, ours, theirs)
    return count


def compare(view, columns, ours, theirs):
    # Both sides in the same order. Floats print differently, so they don't count for it.
    floats = {i for row in ours for i, value in enumerate(row) if isinstance(value, float)}
    for rows in (ours, theirs):
        rows.sort(key=lambda row: [str(value) for i, value in enumerate(row) if i not in floats])
    assert len(ours) == len(theirs), f"{view}: {len(ours)} rows here, {len(theirs)} there"
    for mine, other in zip(ours, theirs):
        for name, a, b in zip(columns, mine, other):
            assert same(a, b), f"{view}.{name}: {a!r} here, {b!r} there: {dict(zip(columns, mine))}"
    return len(ours)
