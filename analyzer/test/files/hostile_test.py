#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""hostile_test.py ANALYZER DATABASE - files from elsewhere: nothing in them is executed, and every
command ends soon, with an answer or with one line that says why not. Random values print their seed."""

import csv
import io
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unicodedata
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import one_in  # noqa: E402 pylint: disable=wrong-import-position

ANALYZER, DATABASE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
PATIENCE_S = 60  # under sanitizers, on a loaded host

COMMANDS = (
    ["runs"], ["runs", "--vcpus"], ["top-exits"], ["top-exits", "--by", "subkey"], ["top-exits", "--by", "vcpu"],
    ["latency"], ["latency", "--exact"], ["timeline"], ["timeline", "--table", "phases"], ["slowest"], ["sequences"],
    ["verify"], ["vmx-caps"], ["compare", "1", "2"], ["live", "--count", "1", "--plain"],
    ["report", "--html", "out.html"], ["export", "--format", "rows", "--output", "out.sqlite"],
    ["export", "--format", "openmetrics", "--output", "out.txt"], ["export", "--format", "perfetto", "--output", "out.trace"],
    ["sql", "SELECT * FROM top_exits"], ["sql", "SELECT * FROM exits ORDER BY ns DESC LIMIT 3"],
)

# These read single exits, from the first one on.
WINDOWS = (["timeline", "--to", "10s"], ["compare", "1", "2", "--to", "10s"], ["top-exits", "--to", "10s"], ["list"], ["ipi"],
           ["report", "--html", "out.html", "--to", "10s"])

TABLES = ("run", "vm", "vcpu", "exit", "exit_rollup", "exit_hist", "exit_hist_packed", "exit_chunk", "loss", "crosscheck", "exit_reason", "leaf_reading")
EXTREMES = (0, 1, -1, 2**63 - 1, -2**63, 2**62, 2**32, 10**15, "text", "", "\x1b]0;x\x07", b"\xff\xfe", 1.5e300, None)


def forge(database, old, new, table):
    """Changes the text of a definition, which SQLite itself would not allow."""
    database.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?", (old, new, table))


class HostileTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "hostile.sqlite")

    def change(self, *statements):
        """A copy of the database, changed."""
        shutil.copy(DATABASE, self.path)
        os.chmod(self.path, 0o644)
        database = sqlite3.connect(self.path, isolation_level=None)
        database.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            if callable(statement):
                statement(database)
            else:
                database.execute(statement)
        database.close()

    def run_command(self, command, path=None):
        return subprocess.run([ANALYZER, "--db", path or self.path, *command], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S)

    def ends_well(self, what, commands=COMMANDS):
        """All commands end: with an answer, or with one line on stderr."""
        for command in one_in.some(commands):
            with self.subTest(what=what, command=" ".join(command)):
                done = self.run_command(command)
                self.assertIn(done.returncode, (0, 1), done.stderr)
                # UBSan's status is 1, and its report one line.
                self.assertNotIn(b"runtime error", done.stderr)
                if done.returncode and not done.stdout:
                    self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)
                if done.returncode:
                    self.assertNotEqual(done.stderr.splitlines()[-1:], [b"analyzer: "], "an error without words")
                self.assertFalse(os.path.exists(os.path.join(self.folder, "PWNED")))

    def answers_as_ever(self, what):
        """What others put into the file changes no answer."""
        for command in (["runs"], ["top-exits"], ["latency"], ["timeline"], ["slowest"], ["verify"],
                        ["sql", "SELECT * FROM top_exits"]):
            with self.subTest(what=what, command=" ".join(command)):
                right, done = self.run_command(command, DATABASE), self.run_command(command)
                self.assertEqual((done.returncode, done.stdout), (right.returncode, right.stdout), done.stderr)

    def refuses(self, what):
        for command in one_in.some(COMMANDS):
            with self.subTest(what=what, command=" ".join(command)):
                done = self.run_command(command)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count(b"\n")), (1, b"", 1), done.stderr)
                self.assertIn(b"its tables differ", done.stderr)

    def test_views_of_the_file_are_not_used(self):
        endless = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT max(x) AS {} FROM r"
        self.change("DROP VIEW runs", "CREATE VIEW runs AS SELECT NULL AS run, NULL AS label, NULL AS state")
        self.answers_as_ever("NULL in view runs")
        self.ends_well("NULL in view runs")
        self.change("DROP VIEW runs", "CREATE VIEW runs AS " + endless.format("run"),
                    "DROP VIEW exits", "CREATE VIEW exits AS " + endless.format("id"),
                    "DROP VIEW reasons", "CREATE VIEW reasons AS " + endless.format("number"))
        self.answers_as_ever("endless views")
        self.ends_well("endless views")
        self.change(*[f"DROP VIEW {view}" for view in ("runs", "coverage", "exits", "top_exits", "reasons")])
        self.answers_as_ever("no views")

    def test_objects_of_others(self):
        self.change("CREATE TRIGGER t AFTER INSERT ON exit BEGIN DELETE FROM run; END",
                    "CREATE VIRTUAL TABLE v USING fts5(x)", "CREATE TABLE note (text)",
                    "INSERT INTO note VALUES ('mine')", "CREATE VIEW own AS SELECT text, percentile(1, 50) FROM note")
        self.answers_as_ever("trigger, virtual table")
        done = self.run_command(["sql", "--format", "csv", "SELECT * FROM own"])
        self.assertEqual((done.returncode, done.stdout.splitlines()[1]), (0, b"mine,1"), done.stderr)

    def test_parameters_that_are_not_json(self):
        """They are unknown; all else is answered as ever."""
        for text in ("x", "", "{", "[1", "{\"kvm\":", "\x1b]0;x\x07", "{\"kvm\": 1}", "null", "[" * 3000):
            self.change(lambda db, t=text: db.execute("UPDATE run SET module_parameters = ?", (t,)))
            for command in (["verify"], ["report", "--html", "out.html"], ["findings"], ["vmx-caps"]):
                with self.subTest(text=text[:10], command=command[0]):
                    right, done = self.run_command(command, DATABASE), self.run_command(command)
                    self.assertEqual(done.returncode, right.returncode, done.stderr)
                    if command[0] == "verify":
                        self.assertEqual(done.stdout, right.stdout)

    def test_tables_that_are_not_ours(self):
        self.change(lambda db: forge(db, "STRICT", "STRICT; ATTACH 'PWNED' AS p; CREATE TABLE p.t (x)", "exit"))
        self.refuses("statements after a definition")
        self.change("DROP TABLE exit", "CREATE VIEW exit AS SELECT 1 AS vcpu, randomblob(1000000000) AS tsc")
        self.ends_well("a view instead of a table")
        self.change(lambda db: forge(db, "cr3  ", "x INTEGER AS (hex(zeroblob(100000000))), cr3  ", "exit"))
        self.refuses("a generated column")
        self.change("DROP TABLE run", "CREATE VIRTUAL TABLE run USING fts5(id, label)")
        self.refuses("a virtual table")
        self.change("DROP TABLE vcpu", "CREATE TABLE vcpu (id, vm_id)")
        self.refuses("another table")

    def test_tables_that_are_missing(self):
        for table in TABLES:
            self.change(f"DROP TABLE {table}")
            self.ends_well(f"no table {table}")

    def test_sql_command(self):
        """A query of the user's runs; one that hides in a view does no more than read."""
        for evil in ("load_extension('./x.so')", "file FROM pragma_database_list"):
            self.change(f"CREATE VIEW evil AS SELECT {evil}")
            done = self.run_command(["sql", "SELECT * FROM evil"])
            self.assertEqual((done.returncode, done.stdout, done.stderr.count(b"\n")), (1, b"", 1), done.stderr)
        done = self.run_command(["sql", "CREATE TABLE t (x)"])
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (1, 1), done.stderr)
        done = self.run_command(["sql", "DELETE FROM run"])
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (1, 1), done.stderr)

    def test_functions(self):
        """Numbers that no recording has: an error, not a wrong value."""
        self.change()
        for query in ("SELECT cycles_to_ns(9223372036854775807, 1)", "SELECT cycles_to_ns(-9223372036854775807 - 1, 1)",
                      "SELECT bucket_percentile(1, 9223372036854775807, 100) FROM (VALUES (1), (2), (3))",
                      "SELECT bucket_percentile(-1, 1, 50)", "SELECT percentile(1, 1e999)", "SELECT percentile(1, NULL)"):
            with self.subTest(query=query):
                done = self.run_command(["sql", query])
                self.assertEqual((done.returncode, done.stderr.count(b"\n")), (1, 1), (done.stdout, done.stderr))
        done = self.run_command(["sql", "--format", "csv", "SELECT percentile(column1, 50) FROM (VALUES (1e999), (-1e999))"])
        self.assertEqual(done.returncode, 0, done.stderr)

    def put_values(self, seed, choose):
        """Sets values of any type in some columns, as no STRICT table would take them."""
        chance = random.Random(seed)

        def put(database):
            texts = {}
            for table in TABLES:
                texts[table] = database.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
                forge(database, " STRICT", " ", table)
                forge(database, " NOT NULL", " ", table)
                forge(database, ") ,", ")", table)
            database.execute("PRAGMA writable_schema = RESET")
            database.execute("PRAGMA writable_schema = ON")
            for table in TABLES:
                columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                for column in chance.sample(columns, min(len(columns), choose)):
                    try:
                        database.execute(f"UPDATE {table} SET {column} = ? WHERE abs(random()) % ? = 0",
                                         (chance.choice(EXTREMES), chance.choice((1, 2, 100))))
                    except sqlite3.Error:
                        pass  # a primary key, or no such type for it
            for table, text in texts.items():
                database.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (text, table))

        self.change(put)

    def test_values(self):
        base = int(os.environ.get("SEED", "1"))
        for seed in range(base, base + int(os.environ.get("ROUNDS", "8"))):
            self.put_values(seed, 1 + seed % 3)
            self.ends_well(f"values, SEED={seed}")

    def test_nulls(self):
        for table in TABLES:
            def put(database, table=table):
                text = database.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
                forge(database, " NOT NULL", " ", table)
                database.execute("PRAGMA writable_schema = RESET")
                database.execute("PRAGMA writable_schema = ON")
                for row in database.execute(f"PRAGMA table_info({table})").fetchall():
                    if not row[5]:
                        database.execute(f"UPDATE {table} SET {row[1]} = NULL")
                database.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (text, table))
            self.change(put)
            self.ends_well(f"NULL in {table}")

    def test_long_text(self):
        """Longer than what is read of a file (SQLITE_LIMIT_LENGTH, 16 MiB), and nearly as long."""
        bad = "x\x1b[31m\u202e"  # 9 bytes
        self.change(lambda db: db.execute("UPDATE run SET label = ?", (bad * 2000000,)))
        self.ends_well("a label of 18 MB")
        self.change(lambda db: db.execute("UPDATE run SET label = ?, command = ?", (bad * 500000,) * 2))
        self.ends_well("a label of 4 MB")

    def test_texts(self):
        """Nothing of a text reaches the terminal but what can be seen; JSON has it as it is."""
        evil = ("=cmd|'/C calc'!A0 <script>alert(1)</script>\x1b]0;PWN\x07\x1b[31m\x9b31m\r\nsecond line\x08\u202eRTL"
                "\u2028\u2066\u200f\ufeff\U000e0041 %s%n `id` \x02")
        active = [character.encode() for character in "\x1b\x07\x9b\r\x08\u202e\u2028\u2066\u200f\ufeff\U000e0041\x02"]

        def put(database):
            columns = ("label", "command", "host", "kernel", "cpu_model", "ept", "environment", "source", "module_parameters")
            database.execute("UPDATE run SET " + ", ".join(f"{column} = :text" for column in columns), {"text": evil})
            database.execute("UPDATE vm SET comm = ?", (evil,))
            database.execute("UPDATE exit_reason SET name = ?, meaning = ? WHERE number IN (30, 48)", (evil, evil))

        self.change(put)
        for command in one_in.some((*COMMANDS, ["runs", "--run", evil.replace("\0", "")], ["sql", f'SELECT 1 AS "{evil}"'])):
            for style in ([], ["--format", "csv"], ["--format", "json"]):
                if style and command[0] in ("report", "export", "live"):
                    continue
                with self.subTest(command=" ".join(command), style=style):
                    done = self.run_command(command + style)
                    self.assertIn(done.returncode, (0, 1))
                    shown = done.stdout + done.stderr
                    for name in ("out.html", "out.txt"):
                        path = os.path.join(self.folder, name)
                        if command[0] == "report" and os.path.exists(path):
                            with open(path, "rb") as page:
                                shown += page.read()
                    self.assertEqual([sequence for sequence in active if sequence in shown], [])
                    self.assertNotIn(b"<script>alert", shown if command[0] == "report" else b"")
                    if style == ["--format", "csv"]:
                        for line in done.stdout.splitlines():
                            self.assertFalse(line.startswith((b"=", b'"=', b"@")) or b",=" in line or b',"=' in line, line)
                    if style == ["--format", "json"] and not done.returncode:
                        json.loads(done.stdout)
        done = self.run_command(["sql", "--format", "json", "SELECT label FROM run"])
        self.assertEqual(json.loads(done.stdout)["rows"][0]["label"], evil)

    def test_formulas(self):
        """No cell of a CSV begins a formula, with any separator, whatever a spreadsheet takes away before it looks."""
        def put(database, text):
            columns = ("label", "command", "host", "kernel", "cpu_model", "microcode", "ept", "environment", "source", "collector")
            database.execute("UPDATE run SET " + ", ".join(f"{column} = :text" for column in columns), {"text": text})
            database.execute("UPDATE vm SET comm = ?", (text,))
            database.execute("INSERT OR REPLACE INTO vm_identity SELECT id, ?1, ?1, ?1, ?1, ?1, ?1, 1 FROM vm", (text,))
            database.execute("INSERT OR REPLACE INTO vcpu_thread SELECT id, 1, ? FROM vcpu", (text,))
            database.execute("UPDATE exit_reason SET name = ?1, meaning = ?1, causes = ?1, remedy = ?1", (text,))

        commands = [*[command for command in COMMANDS if command[0] not in ("export", "report", "live")], ["list", "--limit", "9"],
                    ["runs", "--vcpus", "--columns", "comm,vm_name,uuid,thread"], ["states"], ["top-exits", "--by", "vm"],
                    ["export", "--format", "csv"], ["live", "--log", "--count", "1"], ["vmx-caps", "--msrs"],
                    ["sql", "SELECT * FROM run"], ["sql", "SELECT * FROM vm"], ["sql", "SELECT -1e999, 1e999"]]
        for evil in ("=1+1", "\uff1d1+1", " \u3000+cmd|' /C calc'!A0", "\"@SUM(1)", "a;=1+1", "\ufeff-1+x", "b|'\uff20x"):
            self.change(lambda db, text=evil: put(db, text))
            for command in one_in.some((*commands, ["sql", f"SELECT 1 AS [{evil}]"])):
                with self.subTest(evil=evil, command=" ".join(command)):
                    done = self.run_command(command if "csv" in command else [*command, "--format", "csv"])
                    self.assertEqual((done.returncode, b""), (0, b"") if done.stdout else (1, b""), done.stderr)
                    text = done.stdout.decode()
                    for separator in ",;|":
                        for row in csv.reader(io.StringIO(text), delimiter=separator):
                            for cell in row:
                                seen = unicodedata.normalize("NFKC", cell).lstrip(" \"'\xad")
                                if cell.startswith("'") or not seen.startswith(("=", "+", "-", "@")):
                                    continue
                                self.assertRegex(seen, r"^[+-][0-9., %e+-]*$", row)

    def test_small_stack(self):
        """Each command needs less than 64 KiB of stack, also for a table as wide as SQLite allows."""
        with open(ANALYZER, "rb") as program:
            if b"__asan_init" in program.read():
                self.skipTest("the address sanitizer takes more")
        wide = ["sql", "SELECT " + ", ".join(["1"] * 1999)]
        for command in (*COMMANDS, ["latency", "--handler"], ["findings"], ["states"], ["list"], wide):
            with self.subTest(command=" ".join(command)[:60]):
                done = subprocess.run([ANALYZER, "--db", DATABASE, *command], cwd=self.folder, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, timeout=PATIENCE_S,
                                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (65536, 65536)))
                self.assertEqual(done.returncode, self.run_command(command, DATABASE).returncode, done.stderr)
                self.assertGreaterEqual(done.returncode, 0, "killed by a signal")

    def test_random_tscs(self):
        self.change("UPDATE exit SET tsc = random()", "UPDATE OR REPLACE exit_rollup SET slot = random(), first_tsc = random()",
                    "UPDATE OR REPLACE exit_hist SET slot = random()")
        self.ends_well("random TSCs")
        self.change("UPDATE exit SET tsc = abs(random() % 4611686018427387904)", "UPDATE run SET tsc_end = tsc_start + 4611686018427387904 / 2")
        self.ends_well("random TSCs, a run of 10 years")

    def test_extreme_tscs(self):
        """Differences of these do not fit into 64 bits."""
        self.change("UPDATE run SET tsc_start = 5", "UPDATE exit SET tsc = CASE rowid % 3 WHEN 0 THEN -9223372036854775808 WHEN 1 THEN 9223372036854775807 ELSE tsc END")
        self.ends_well("extreme TSCs", (*COMMANDS, *WINDOWS))
        self.change("UPDATE run SET has_raw = 2", "UPDATE exit SET tsc = -9223372036854775807", "UPDATE exit_rollup SET first_tsc = -9223372036854775808")
        self.ends_well("the first row that was kept is extreme", (*COMMANDS, *WINDOWS))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
