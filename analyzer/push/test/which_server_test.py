#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""which_server_test.py ANALYZER FIXTURE SCHEMA: which server gets a run, and which is refused."""
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stand_in  # noqa: E402 pylint: disable=wrong-import-position
from stand_in import ANALYZER, FIXTURE, TABLES  # noqa: E402 pylint: disable=wrong-import-position


# Each has some of the fixture's runs: their keys and the hosts are the same every time, ports are not.
HOSTS = ("127.0.0.1", "127.0.0.2")


class WhichServerTest(stand_in.WithServer):
    def test_servers(self):
        """A run is on one server as a whole, and stays there when the list changes."""
        first, second = map(self.new_server, HOSTS)
        path = self.copy(FIXTURE)
        self.push(path, to=f"{first.url},{second.url}")
        for server in (first, second):
            self.assertGreater(len(server.stored["run"]), 0)
        self.assertEqual(len(first.stored["run"]) + len(second.stored["run"]),
                         self.count(path, "SELECT count(*) FROM run"))
        seen = first.seen, second.seen
        self.push(path, to=f"{second.url},{first.url}")
        self.assertEqual((first.seen, second.seen), seen)

    def test_server_away(self):
        """A server that is away holds up none of the others."""
        away, there = map(self.new_server, HOSTS)
        away.plan = lambda n: 503
        path = self.copy(FIXTURE)
        urls = f"{away.url},{there.url}"
        process = subprocess.Popen(self.command(path, to=urls), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.addCleanup(process.kill)
        self.assertIn("trying again", process.stderr.readline())
        runs = self.count(path, "SELECT count(*) FROM run")
        end = time.monotonic() + 60
        while not 0 < len(there.stored["run"]) < runs or away.seen < 3:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.assertIsNone(process.poll())
        self.assertEqual(away.stored["run"], {})
        away.plan = lambda n: None
        self.assertIn("it answers again", process.communicate(timeout=60)[1])
        self.assertEqual(process.returncode, 0)
        self.assertEqual(len(away.stored["run"]) + len(there.stored["run"]), runs)
        away.plan = lambda n: 503
        done = self.push(self.copy(FIXTURE, "late.sqlite"), "--give-up", "1s", to=urls, status=1)
        self.assertIn("given up after 1 s", done.stderr)

    def test_place(self):
        """The order of the list does not choose the server, and without the cursors the same one is found."""
        servers = [self.new_server() for _ in range(3)]
        self.push(self.copy(FIXTURE), to=",".join(server.url for server in servers))
        places = [set(server.stored["run"]) for server in servers]
        for order in ((2, 1, 0), (1, 2, 0)):
            for server in servers:
                server.stored = {name: {} for name in TABLES}
            self.push(self.copy(FIXTURE), to=",".join(servers[i].url for i in order))
            self.assertEqual([set(server.stored["run"]) for server in servers], places)
        # Another name of the same host: the recording's own account decides.
        path = self.copy(FIXTURE, "one.sqlite")
        self.push(path, to=servers[0].url)
        other = self.new_server()
        self.push(path, to=f"{other.url.replace('127.0.0.1', 'localhost')},{servers[0].url}/")
        self.assertEqual(other.seen, 0)

    def test_again(self):
        """For a server that has lost its data."""
        path = self.copy(FIXTURE)
        self.push(path, "--raw")
        stored, self.server.stored = self.server.stored, {name: {} for name in TABLES}
        self.push(path, "--raw")
        self.assertEqual(self.server.stored["exit"], {})
        self.push(path, "--raw", "--again")
        self.assertEqual(self.server.stored, stored)

    def test_proxy(self):
        """What is for this machine goes through no proxy, the password least of all."""
        proxy = self.new_server()
        login = os.path.join(self.folder, "login")
        with open(login, "w", encoding="utf-8") as file:
            file.write("pusher\ncorrect horse\n")
        os.chmod(login, 0o600)
        done = subprocess.run([*self.command(self.copy(FIXTURE)), "--login", login], capture_output=True, text=True,
                              timeout=200, check=False,
                              env={**os.environ, "http_proxy": proxy.url, "all_proxy": proxy.url})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(proxy.requests, 0)
        self.assertGreater(self.server.requests, 0)

    def test_other_version(self):
        """RowBinary has no types in it: tables of another version get no row."""
        for table, column, kind in (("exit_rollup", "cycles", "UInt64"), ("exit", "rip", ""),
                                    ("run", "label", "Nullable(String)"), ("exit_hist", "bucket", "Array(UInt32)"),
                                    ("vm", "label", "Enum8('a' = 1)"), ("exit", "flags", "N" * 100)):
            with self.subTest(table=table, column=column):
                self.server.other_types = {(table, column): kind}
                said = self.push(self.copy(FIXTURE), status=1).stderr
                self.assertRegex(said, rf"\Aanalyzer: http\S*: its table exitscope\.{table} is of another version: "
                                       rf"column {column} \(.*--create\)\n\Z")
                self.assertEqual(self.server.seen, 0)
        self.server.other_types = {("run", "label"): "LowCardinality(String)"}
        self.push(self.copy(FIXTURE))

    def test_cluster(self):
        """A cluster that the server does not know is not waited for, and nothing is made."""
        done = subprocess.run([ANALYZER, "push", "--to", self.server.url, "--create", "--cluster",
                               "nowhere"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Aanalyzer: http.*: it has no cluster nowhere \(.*\)\n\Z")
        self.assertEqual(self.server.seen, 0)

    def test_create_on_cluster(self):
        """Without --cluster the views of all servers would become those of one, and nobody would know."""
        self.server.is_of_cluster = True
        done = subprocess.run([ANALYZER, "push", "--to", self.server.url, "--create"], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Aanalyzer: http.*: it was made one of a cluster: .*--cluster .*\n\Z")
        self.assertEqual((self.server.requests, self.server.seen), (1, 0))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
