# SPDX-License-Identifier: GPL-2.0-only
"""server_schema.py - the tables of a server, as sql/clickhouse/schema.sql makes them

    tables = read_schema("schema.sql")
    columns_text(tables)         # what a server says of their columns
"""
import re


def read_schema(path):
    """{table: ({column: type}, key, ver)}"""
    tables = {}
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for name, body, ver, key in re.findall(
            r"CREATE TABLE IF NOT EXISTS exitscope\.(\w+) \(\n(.*?)\n\) ENGINE = ReplacingMergeTree(?:\((\w+)\))?.*?ORDER BY (.*?);",
            text, re.S):
        columns = dict(line.strip().rstrip(",").split(" ", 1) for line in body.split("\n"))
        tables[name] = (columns, key.strip("()").split(", "), ver)
    return tables


def columns_text(tables, other_types=None):
    """The answer about system.columns. other_types: {(table, column): type, "": there is none}"""
    kinds = {(table, name): kind for table, (columns, _, _) in tables.items() for name, kind in columns.items()}
    kinds.update(other_types or {})
    return "".join(f"{table}\t{name}\t{kind}\n" for (table, name), kind in kinds.items() if kind)
