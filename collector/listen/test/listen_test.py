#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""listen_test.py COLLECTOR CAPTURE ANALYZER DASHBOARD... - the collector answers while it records

The recording comes from a named pipe, in pieces, so that it lasts as long as the test likes. What
is read by curl, promtool and a Prometheus is real; where Debian's package prometheus is missing,
those tests say so and are skipped.
"""

import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

COLLECTOR, CAPTURE, ANALYZER = sys.argv[1:4]
DASHBOARDS = sys.argv[4:]
PATIENCE_S = 5  # SERVER_PATIENCE_MS


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"no {what} in {seconds} s")


class Recording:
    """A collector that reads a capture as fast as it is fed."""

    def __init__(self, folder, *options):
        self.pipe = os.path.join(folder, "pipe")
        self.data = gzip.open(CAPTURE).read()
        self.fed = 0
        os.mkfifo(self.pipe)
        self.log = open(os.path.join(folder, "log"), "w+")
        self.process = subprocess.Popen([COLLECTOR, "--from", self.pipe, "--listen", "127.0.0.1:0", *options],
                                        stderr=self.log)
        self.out = open(self.pipe, "wb", buffering=0)
        self.feed(1_000_000)  # it listens when it knows what it records
        url = wait_for(lambda: re.search(r"http://(\S+):(\d+)/metrics", self.words()), "address", 10)
        self.url = url.group(0)
        self.address = (url.group(1), int(url.group(2)))

    def words(self):
        with open(self.log.name) as log:
            return log.read()

    def feed(self, size=None):
        end = len(self.data) if size is None else self.fed + size
        while self.fed < min(end, len(self.data)):
            self.fed += self.out.write(self.data[self.fed:end])

    def finish(self):
        self.feed()
        self.out.close()
        return self.process.wait(60)

    def get(self, path="/metrics"):
        return urllib.request.urlopen(self.url.replace("/metrics", path), timeout=20).read().decode()

    def exits(self):
        return sum(int(n) for n in re.findall(r"^kvm_exits_total\{.*\} (\d+)$", self.get(), re.M))

    def ask(self, request, shut=True):
        """Sends bytes; the first line of the answer."""
        with socket.create_connection(self.address, 20) as connection:
            connection.sendall(request)
            if shut:
                connection.shutdown(socket.SHUT_WR)
            return connection.makefile("rb").readline().decode().strip()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.out.close()
        self.log.close()


class ListenTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def record(self, *options):
        recording = Recording(self.folder, *options)
        self.addCleanup(recording.close)
        return recording

    def test_counts(self):
        """What curl reads grows with the recording, and is in the end what analyzer says."""
        database = os.path.join(self.folder, "run.sqlite")
        recording = self.record("--db", database)
        recording.feed(4_000_000)
        first = wait_for(recording.exits, "exit")
        recording.feed(4_000_000)
        wait_for(lambda: recording.exits() > first, "further exit")

        answer = subprocess.run(["curl", "-s", "-S", "-D", "-", recording.url], capture_output=True, check=True).stdout.decode()
        self.assertIn("HTTP/1.1 200 OK", answer)
        self.assertIn("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n", answer)
        counts = {reason: int(n) for reason, n in re.findall(r'^kvm_exits_total\{.*reason="(.*)"\} (\d+)$', answer, re.M)}
        total = float(re.search(r"^kvm_exit_duration_seconds_sum\{.*\} (\S+)$", answer, re.M).group(1))

        # The same number of records from the start on.
        self.assertEqual(recording.finish(), 0)
        sql = ("SELECT reason_name, count(*) AS exits, sum(ns) AS ns FROM"
               f" (SELECT reason_name, ns FROM exits ORDER BY seq LIMIT {sum(counts.values())}) GROUP BY 1")
        rows = json.loads(subprocess.run([ANALYZER, "--db", database, "sql", "--format", "json", sql],
                                         capture_output=True, check=True).stdout)
        rows = rows["rows"] if isinstance(rows, dict) else rows
        self.assertEqual(counts, {row["reason_name"]: row["exits"] for row in rows})
        self.assertAlmostEqual(total, sum(row["ns"] for row in rows) / 1e9, places=3)

    def test_without_database(self):
        recording = self.record()
        recording.feed(4_000_000)
        wait_for(recording.exits, "exit")
        self.assertEqual(recording.finish(), 0)
        self.assertIn("123201 records", recording.words())

    def test_requests(self):
        recording = self.record()
        self.assertEqual(recording.ask(b"GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found")
        self.assertEqual(recording.ask(b"PUT /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed")
        self.assertEqual(recording.ask(b"\x16\x03\x01\x00\n\n"), "HTTP/1.1 400 Bad Request")
        self.assertEqual(recording.ask(b"GET /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK")
        head = subprocess.run(["curl", "-s", "-S", "-I", recording.url], capture_output=True, check=True).stdout.decode()
        self.assertRegex(head, r"\AHTTP/1.1 200 OK\r\n(?s:.*)Content-Length: [1-9]\d+\r\n(?s:.*)\r\n\r\n\Z")

    def test_long_request(self):
        """10 MB: the answer comes after 4 KiB, and reaches a client that sends on."""
        recording = self.record()
        first = []
        with socket.create_connection(recording.address, 20) as connection:
            reader = threading.Thread(target=lambda: first.append(connection.makefile("rb").readline()))
            reader.start()
            try:
                connection.sendall(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 10_000_000)
            except OSError:
                pass
            reader.join(20)
        self.assertEqual(first, [b"HTTP/1.1 431 Request Header Fields Too Large\r\n"])
        self.assertEqual(recording.ask(b"GET /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK")

    def test_slow_clients(self):
        """More clients than there is room for, which send nothing or read nothing: the recording goes
        on, and others are answered as soon as their time is up."""
        recording = self.record()
        slow = []
        for i in range(100):
            connection = socket.create_connection(recording.address, 20)
            self.addCleanup(connection.close)
            connection.sendall([b"", b"GET", b"GET /metrics HTTP/1.1\r\n\r\n"][i % 3])
            slow.append(connection)

        start = time.monotonic()
        recording.feed(14_000_000)
        self.assertLess(time.monotonic() - start, PATIENCE_S, "the recording waited")
        wait_for(lambda: recording.exits() > 100_000, "answer", 6 * PATIENCE_S)
        self.assertEqual(recording.finish(), 0)

    def test_many_connections(self):
        recording = self.record()
        recording.feed(4_000_000)
        wait_for(recording.exits, "exit")
        fds = len(os.listdir(f"/proc/{recording.process.pid}/fd"))
        for _ in range(1000):
            self.assertEqual(recording.ask(b"GET /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK")
        wait_for(lambda: len(os.listdir(f"/proc/{recording.process.pid}/fd")) <= fds, "end of all connections")

    def test_refusals(self):
        for options, words in (
                (["--listen", "0.0.0.0:0"], "other machines could read it (listen on 127.0.0.1 or [::1], or say --listen-public)"),
                (["--listen", "[::]:0"], "other machines could read it"),
                (["--listen", "localhost:1"], "not an address and a port (example: 127.0.0.1:9925)"),
                (["--listen-public"], "--listen-public: only with --listen")):
            run = subprocess.run([COLLECTOR, "--from", CAPTURE, *options,
                                  *(["--db", os.path.join(self.folder, "x.sqlite")] if options[0] == "--listen-public" else [])],
                                 capture_output=True, text=True, check=False)
            self.assertEqual((run.returncode, run.stderr.count("\n")), (1, 1), run.stderr)
            self.assertIn(words, run.stderr)

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            database = os.path.join(self.folder, "taken.sqlite")
            run = subprocess.run([COLLECTOR, "--from", CAPTURE, "--db", database, "--listen",
                                  f"127.0.0.1:{taken.getsockname()[1]}"], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 1)
            self.assertIn("Address already in use", run.stderr)
            self.assertFalse(os.path.exists(database), "a file was left")

    def test_public(self):
        recording = self.record("--listen", "0.0.0.0:0", "--listen-public")
        self.assertIn("http://0.0.0.0:", recording.words())

    @unittest.skipUnless(shutil.which("promtool"), "promtool is missing (apt-get install prometheus)")
    def test_promtool(self):
        recording = self.record()
        recording.feed(8_000_000)
        wait_for(recording.exits, "exit")
        run = subprocess.run(["promtool", "check", "metrics"], input=recording.get(), capture_output=True, text=True, check=False)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))

    def queries(self):
        for path in DASHBOARDS:
            with open(path) as file:
                dashboard = json.load(file)
            self.assertLessEqual({"title", "uid", "schemaVersion", "panels", "templating", "time"}, dashboard.keys())
            panels = dashboard["panels"]
            self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
            for panel in panels:
                self.assertLessEqual({"type", "title", "gridPos", "targets", "fieldConfig", "datasource"}, panel.keys())
                for target in panel["targets"]:
                    yield target["expr"].replace("$__rate_interval", "20s").replace("$vm", ".*")

    def variables(self):
        """(metric, label) of each variable that Grafana's data source reads as label_values(metric, label)."""
        for path in DASHBOARDS:
            with open(path) as file:
                for variable in json.load(file)["templating"]["list"]:
                    if variable["type"] == "query":
                        yield re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()

    @unittest.skipUnless(shutil.which("prometheus"), "prometheus is missing (apt-get install prometheus)")
    def test_prometheus(self):
        """A Prometheus scrapes the collector; each query of the dashboards has an answer."""
        recording = self.record()
        recording.feed(2_000_000)
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w") as file:
            file.write("global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: exitscope\n  static_configs:\n"
                       f"  - targets: ['{recording.address[0]}:{recording.address[1]}']\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                                   f"--storage.tsdb.path={self.folder}/data", "--log.level=error"])
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)

        def ask(query):
            url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
            try:
                answer = json.load(urllib.request.urlopen(url, timeout=20))
            except urllib.error.HTTPError as error:
                if error.code == 503:  # it starts
                    return None
                raise AssertionError(f"{query}: {error.read().decode()}") from error
            except OSError:
                return None
            return answer["data"]["result"]

        wait_for(lambda: ask("up == 1"), "scrape")
        wait_for(lambda: recording.feed(500_000) or ask("sum(rate(kvm_exits_total[20s])) > 0"), "rate", 20)
        for query in self.queries():
            self.assertTrue(wait_for(lambda query=query: ask(query), f"answer to {query}"))
        # A VM without a name has an empty one, which Prometheus takes for none: the page itself has it.
        for metric, label in self.variables():
            self.assertIn(f'\n{metric}{{{label}="', recording.get())
        # The tool's own check of what rates and sums mean.
        self.assertEqual(len(ask("sum(kvm_exit_duration_seconds_count) == sum(kvm_exits_total)")), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
