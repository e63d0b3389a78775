#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""push_test.py ANALYZER FIXTURE SCHEMA: what analyzer push sends, whatever ends it or fails."""
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stand_in  # noqa: E402 pylint: disable=wrong-import-position
from stand_in import ANALYZER, FIXTURE, TABLES  # noqa: E402 pylint: disable=wrong-import-position


class PushTest(stand_in.WithServer):
    def test_all_of_it(self):
        path = self.copy(FIXTURE)
        self.push(path, "--raw")
        stored = self.server.stored
        self.assertEqual(len(stored["exit"]), self.count(path, "SELECT count(*) FROM exit"))
        self.assertEqual(len(stored["exit_rollup"]),
                         self.count(path, "SELECT count(*) FROM exit_rollup"))
        self.assertEqual(sum(row["exits"] for row in stored["exit_rollup"].values()),
                         self.count(path, "SELECT sum(n) FROM exit_rollup"))
        self.assertEqual(sum(row["n"] for row in stored["exit_hist"].values() if row["part"] == 0),
                         self.count(path, "SELECT sum(n) FROM exit_rollup"))
        self.assertTrue(all(sum(row["exits"]) == row["n"] for row in stored["exit_hist"].values()))
        self.assertEqual(len(stored["run"]), self.count(path, "SELECT count(*) FROM run"))
        # The table of reasons is the same for all runs: once is enough.
        self.assertGreater(len(stored["run"]), 1)
        self.assertEqual([insert[0] for insert in self.server.inserts].count("reason"), 1)
        self.assertEqual(len(stored["reason"]), self.count(path, "SELECT count(*) FROM reasons"))
        # Nothing is sent a second time, and no log is left behind.
        before = len(self.server.inserts)
        self.push(path, "--raw")
        self.assertEqual(len(self.server.inserts), before)
        self.assertFalse(os.path.exists(path + "-wal") and os.path.getsize(path + "-wal"))

    def test_sums_first_exits_later(self):
        path = self.copy(FIXTURE)
        self.push(path)
        self.assertEqual(self.server.stored["exit"], {})
        self.push(path, "--raw")
        self.assertEqual(self.server.stored, self.clean(FIXTURE, "--raw"))

    def test_faults(self):
        """Acknowledgements lost, connections cut, errors of the server: each row counts once."""
        for number, plan in enumerate((
                lambda n: "lose" if n % 2 else None,
                lambda n: ["cut", 500, None, 503, "lose", None][n % 6],
                lambda n: 429 if n % 3 else None)):
            with self.subTest(plan=number):
                self.server = self.new_server()
                self.server.plan = plan
                done = self.push(self.copy(FIXTURE), "--run", "1", "--raw", "--batch", "5000")
                self.assertIn("trying again", done.stderr)
                self.assertNotIn("\x1b", done.stderr)
                self.server.plan = lambda n: None
                self.assertEqual(self.server.stored, self.clean(FIXTURE, "--run", "1", "--raw"))

    def test_refused(self):
        """4xx: one line, no second attempt, and the cursor stays where it was."""
        for status in (400, 401, 403, 404, 413):
            with self.subTest(status=status):
                self.server = self.new_server()
                self.server.plan = lambda n, status=status: status
                path = self.copy(FIXTURE)
                done = self.push(path, status=1)
                self.assertEqual(self.server.seen, 1)
                self.assertRegex(done.stderr, rf"^analyzer: http.*refuses it with HTTP status {status}: Code: 241.*\n$")
                self.assertNotIn("\x1b", done.stderr)
                self.assertEqual(self.count(path, "SELECT count(*) FROM push_cursor"), 0)
        self.server.plan = lambda n: None
        self.push(path)
        self.assertEqual(self.server.stored, self.clean(FIXTURE))

    def test_give_up(self):
        self.server.plan = lambda n: 500
        start = time.monotonic()
        done = self.push(self.copy(FIXTURE), "--give-up", "1s", status=1)
        self.assertLess(time.monotonic() - start, 60)
        self.assertIn("given up after 1 s; the same command goes on", done.stderr)
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            done = self.push(self.copy(FIXTURE), "--give-up", "300ms", status=1,
                             to=f"http://127.0.0.1:{nobody.getsockname()[1]}")
            self.assertIn("onnect", done.stderr)

    def test_killed(self):
        """Killed at many moments: the next one goes on, and each row counts once."""
        path = self.copy(FIXTURE)
        expected = self.clean(FIXTURE, "--raw", "--batch", "1000")
        kills = 0
        for turn in range(30):
            process = subprocess.Popen(self.command(path, "--raw", "--batch", "1000"),
                                       stdout=subprocess.DEVNULL)
            try:
                process.wait(0.01 + 0.02 * turn)
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
        self.push(path, "--raw", "--batch", "1000")
        self.assertGreater(kills, 0)
        with self.server.lock:
            self.assertEqual(self.server.stored, expected)

    def test_journal(self):
        """What a killed push left is rolled back; a journal that names another file is not."""
        path = self.copy(FIXTURE)
        victim = pathlib.Path(path).with_name("victim")
        victim.write_text("x")
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN IMMEDIATE")
        db.execute("CREATE TABLE push_cursor (half TEXT)")
        cut_off = self.copy(path, "cut_off.sqlite")
        journal = pathlib.Path(f"{cut_off}-journal")
        shutil.copy(f"{path}-journal", journal)
        db.close()
        self.assertGreater(journal.stat().st_size, 512)
        good = journal.read_bytes()

        name = os.fsencode(victim)
        journal.write_bytes(good + struct.pack(">I", 2**31 - 1) + name + struct.pack(
            ">II", len(name), sum(struct.unpack(f"{len(name)}b", name)) & 0xffffffff) + good[:8])
        done = self.push(cut_off, status=1)
        self.assertIn("belongs to a transaction of several files", done.stderr)
        self.assertTrue(victim.exists())

        journal.write_bytes(good)
        self.push(cut_off)
        self.assertFalse(journal.exists())
        self.assertEqual(self.server.stored, self.clean(FIXTURE))

    def half_written(self, name, *statements):
        """A copy whose writer was killed in a transaction: a part of it is in the file."""
        path = self.copy(FIXTURE, "writer.sqlite")
        db = sqlite3.connect(path, isolation_level=None)
        for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA cache_size = 5",
                          "BEGIN IMMEDIATE", *statements):
            db.execute(statement)
        half = self.copy(path, name)
        shutil.copy(f"{path}-journal", f"{half}-journal")
        db.close()
        self.assertNotEqual(pathlib.Path(half).read_bytes(), pathlib.Path(FIXTURE).read_bytes())
        return half

    def test_half_written(self):
        """What was never committed is neither shown nor sent, nor does it count as damage."""
        show = [ANALYZER, "top-exits", "--format", "csv", "--db"]
        whole = subprocess.check_output([*show, FIXTURE])
        changes = ["UPDATE exit_rollup SET n = 7 * n", "UPDATE exit SET cycles = 5"]
        moves = ["CREATE TABLE new AS SELECT * FROM exit", "DROP TABLE exit_rollup",
                 "CREATE TABLE newer AS SELECT * FROM new"]
        for name, statements in ("changes", changes), ("moves", moves):
            with self.subTest(name):
                self.assertEqual(subprocess.check_output([*show,
                                                          self.half_written(f"{name}.shown",
                                                                            *statements)]), whole)
                self.server = self.new_server()
                self.push(self.half_written(f"{name}.sent", *statements))
                self.assertEqual(self.server.stored, self.clean(FIXTURE))

    def test_interrupted(self):
        """Ctrl-C while a server is away ends at once, and the next call goes on."""
        path = self.copy(FIXTURE)
        self.server.plan = lambda n: 503
        process = subprocess.Popen(self.command(path), stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, text=True)
        self.assertIn("trying again", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        text = process.communicate(timeout=30)[1]
        self.assertEqual(process.returncode, 1)
        self.assertRegex(text, "stopped")
        self.server.plan = lambda n: None
        self.push(path)
        self.assertEqual(self.server.stored, self.clean(FIXTURE))

    def test_without(self):
        path = self.copy(FIXTURE)
        db = sqlite3.connect(path)
        db.execute("UPDATE run SET command = 'secret --key 7', label = 'secret --key 7'"
                   " WHERE id = 2")
        db.commit()
        db.close()
        self.push(path, "--raw", "--without", "rip,cr3,command,requests")
        for row in self.server.stored["exit"].values():
            self.assertEqual((row["rip"], row["cr3"], row["requests"], row["request_names"]), (None,) * 4)
        self.assertNotIn(b"secret",
                         b"".join(repr(row).encode() for row in self.server.stored["run"].values()))
        self.assertIn(b"run 2", [row["label"] for row in self.server.stored["run"].values()])
        for bad in ("nothing", "run", "rip,", "", "rip,seq"):
            done = self.push(path, f"--without={bad}", status=1)
            self.assertIn("--without", done.stderr)

    def test_without_names(self):
        path = self.copy(FIXTURE)
        db = sqlite3.connect(path)
        db.execute("UPDATE vm_identity SET name = 'secret'")
        db.execute("INSERT OR IGNORE INTO vm_identity (vm, name, name_source)"
                   " SELECT id, 'secret', 'qemu' FROM vm")
        db.execute("UPDATE run SET host = 'secret', kernel = 'secret'")
        db.commit()
        db.close()
        self.push(path, "--raw", "--without", "host,kernel,name,comm")
        self.assertNotIn("secret", repr(self.server.stored))
        self.assertGreater(len(self.server.stored["vcpu_state"]), 0)
        self.push(self.copy(path, "again.sqlite"), to=self.new_server().url)

    def test_without_comm(self):
        """A VM that has no better name is called by its comm: that is left out with it."""
        path = self.copy(FIXTURE)
        db = sqlite3.connect(path)
        db.execute("DELETE FROM vm_identity")
        db.execute("UPDATE vm SET comm = 'secret'")
        db.execute("INSERT INTO vm_identity (vm, name, name_source) SELECT id, 'secret', 'comm' FROM vm WHERE id % 2")
        db.execute("INSERT INTO vm_identity (vm, name, name_source) SELECT id, 'web', 'qemu' FROM vm WHERE NOT id % 2")
        db.commit()
        db.close()
        self.push(path, "--without", "comm")
        self.assertNotIn("secret", repr(self.server.stored))
        self.assertIn("web", repr(self.server.stored))

    def test_many_losses(self):
        """A table of as many rows as a batch, of fewer, of more."""
        for count in (999, 1000, 1001, 2000, 2500):
            path = self.copy(FIXTURE)
            db = sqlite3.connect(path)
            db.execute("DELETE FROM loss")
            db.execute("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?)"
                       " INSERT INTO loss SELECT 1, n, 1, NULL, NULL FROM i", (count,))
            # A vCPU that had two rings: its losses are those of one of them.
            db.execute("INSERT INTO vcpu (vm_id, vcpu_id, ring_id)"
                       " SELECT vm_id, vcpu_id, ring_id + 1000 FROM vcpu WHERE id = 1")
            db.commit()
            db.close()
            self.server = self.new_server()
            self.push(path, "--run", "1", "--batch", "1000")
            self.assertEqual(len(self.server.stored["loss"]), count)
            before = self.server.seen
            self.push(path, "--run", "1", "--batch", "1000")
            self.assertEqual(self.server.seen, before)

    def test_grows(self):
        """A run that goes on: its last interval is sent again, and so is one that changes later."""
        path, whole = self.copy(FIXTURE), self.copy(FIXTURE, "whole.sqlite")
        db = sqlite3.connect(path)
        db.execute("UPDATE run SET state = 'recording', tsc_end = NULL WHERE id = 1")
        vcpu, middle = db.execute("SELECT vcpu, max(slot) / 2 FROM exit_rollup"
                                  " WHERE vcpu = 1").fetchone()
        db.execute("CREATE TEMP TABLE rest AS SELECT * FROM exit_rollup"
                   " WHERE vcpu = ? AND slot >= ?", (vcpu, middle))
        db.execute("DELETE FROM exit_rollup WHERE vcpu = ? AND slot > ?", (vcpu, middle))
        db.execute("UPDATE exit_rollup SET n = n / 2, cycles = cycles / 2"
                   " WHERE vcpu = ? AND slot = ?", (vcpu, middle))
        early = db.execute("SELECT min(slot), reason, n FROM exit_rollup WHERE vcpu = ?",
                           (vcpu,)).fetchone()
        db.execute("UPDATE exit_rollup SET n = n - 1 WHERE vcpu = ? AND slot = ? AND reason = ?",
                   (vcpu, *early[:2]))
        db.commit()
        self.push(path)
        self.push(path)
        db.execute("REPLACE INTO exit_rollup SELECT * FROM rest")
        db.execute("UPDATE exit_rollup SET n = ? WHERE vcpu = ? AND slot = ? AND reason = ?",
                   (early[2], vcpu, *early[:2]))
        end = sqlite3.connect(whole).execute("SELECT state, tsc_end FROM run"
                                             " WHERE id = 1").fetchone()
        db.execute("UPDATE run SET state = ?, tsc_end = ? WHERE id = 1", end)
        db.commit()
        db.close()
        self.push(path)
        clean = self.clean(FIXTURE)
        for table in TABLES:
            self.assertEqual(self.server.stored[table], clean[table], table)

    def test_token(self):
        """The same bytes have the same token; an old server gets none, as it would refuse it."""
        self.push(self.copy(FIXTURE), "--raw")
        tokens = [token for _, _, token in self.server.inserts]
        self.assertEqual(len(set(tokens)), len(tokens))
        other = self.new_server()
        self.push(self.copy(FIXTURE, "other.sqlite"), "--raw", to=other.url)
        self.assertEqual(tokens, [token for _, _, token in other.inserts])
        old = self.new_server()
        old.has_token = False
        self.push(self.copy(FIXTURE, "old.sqlite"), "--raw", to=old.url)
        self.assertEqual({token for _, _, token in old.inserts}, {None})

    def test_vacuum(self):
        """VACUUM gives rows other numbers: nothing is left out."""
        path = self.copy(FIXTURE)
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("UPDATE run SET state = 'recording', tsc_end = NULL WHERE id = 2")
        writer = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, writer)
        fcntl.flock(writer, fcntl.LOCK_EX)  # as a collector that runs
        count = "SELECT count(*) FROM {} e JOIN vcpu c ON c.id = e.vcpu JOIN vm m ON m.id = c.vm_id WHERE m.run_id = 2"
        last = db.execute("SELECT max(rowid) FROM exit").fetchone()[0]
        db.execute("CREATE TEMP TABLE late AS SELECT * FROM exit WHERE rowid > ? / 2", (last,))
        db.execute("DELETE FROM exit WHERE rowid > ? / 2", (last,))
        sent = db.execute(count.format("exit")).fetchone()[0]
        self.push(path, "--raw", "--run", "2")
        # As with --keep-raw: the first ones go when they are old.
        db.execute("DELETE FROM exit WHERE rowid < ? * 7 / 15", (last,))
        self.push(path, "--raw", "--run", "2")
        first = [insert for insert in self.server.inserts if insert[0] == "exit"]
        self.assertEqual(sum(insert[1] for insert in first), sent)
        db.execute("VACUUM")
        db.execute("INSERT INTO exit SELECT * FROM late")
        later = db.execute(count.format("late")).fetchone()[0]
        db.close()
        self.push(path, "--raw", "--run", "2")
        self.assertEqual(len(self.server.stored["exit"]), sent + later)
        self.assertGreater(later, 0)

    def test_collector_killed(self):
        """While it is followed: what it had stored is sent, and the run has ended."""
        path = self.copy(FIXTURE)
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("UPDATE run SET state = 'recording', tsc_end = NULL WHERE id = 2")
        last = db.execute("SELECT max(rowid) FROM exit").fetchone()[0]
        db.execute("CREATE TEMP TABLE late AS SELECT * FROM exit WHERE rowid > ? / 2", (last,))
        db.execute("DELETE FROM exit WHERE rowid > ? / 2", (last,))
        writer = os.open(path, os.O_RDONLY)
        fcntl.flock(writer, fcntl.LOCK_EX)  # as a collector that runs

        process = subprocess.Popen(self.command(path, "--raw", "--run", "2", "--follow"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        end = time.monotonic() + 60
        while not self.server.stored["exit"]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        db.execute("INSERT INTO exit SELECT * FROM late")
        db.close()
        self.assertIsNone(process.poll())
        os.close(writer)  # what remains of one that was killed
        self.assertEqual((process.communicate(timeout=60)[1], process.returncode), ("", 0))
        self.assertEqual({row["state"] for row in self.server.stored["run"].values()}, {b"interrupted"})
        self.assertEqual(len(self.server.stored["exit"]), 9000)

    def test_follow(self):
        path = self.copy(FIXTURE)
        done = self.push(path, "--follow")  # nothing goes on: it ends by itself
        self.assertIn("ept", done.stdout)
        self.server.has_tables = False
        self.assertIn("--create", self.push(self.copy(FIXTURE), status=1).stderr)

    def test_words(self):
        path = self.copy(FIXTURE)
        login = os.path.join(self.folder, "login")
        with open(login, "w") as file:
            file.write("pusher\ncorrect horse\n")
        os.chmod(login, 0o644)
        for options, word in (
                (["--to", "ftp://a", path], "not the URL"),
                (["--to", "http://u:p@a", path], "--login"),
                (["--to", "http://", path], "without a host"),
                (["--to", "http://a?b=c", path], "parameters"),
                (["--to", "", path], "empty"),
                (["--to", "http://127.0.0.1:80x", path], "not a URL"),
                (["--to", "http://a,", path], "not the URL"),
                ([path], "--to"),
                (["--to", self.server.url, "--login", login, path], "chmod 600"),
                (["--to", self.server.url, "--login", "/nothing", path], "No such file"),
                (["--to", self.server.url, "--batch", "5", path], "--batch"),
                (["--to", self.server.url, "--batch", "5x", path], "--batch"),
                (["--to", self.server.url, "--give-up", "soon", path], "--give-up"),
                (["--to", self.server.url, "--cluster", "a", path], "--create"),
                (["--to", self.server.url, "--create", "--cluster", "a'b", path], "not the name"),
                (["--to", self.server.url, "/nothing"], "No such file"),
                (["--to", self.server.url, "--run", "99", path], "no run")):
            done = subprocess.run([ANALYZER, "push", *options], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1, options)
            self.assertRegex(done.stderr, r"^analyzer: .*\n$")
            self.assertIn(word, done.stderr)
        os.chmod(login, 0o600)
        done = subprocess.run([ANALYZER, "push", "--to", "http://example.invalid", "--login", login,
                               path],
                              stderr=subprocess.PIPE, text=True)
        self.assertIn("use https", done.stderr)
        self.assertEqual(self.server.seen, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
