#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""export_test.py ANALYZER BOOT_DB: each format of `analyzer export` is read back
and compared with the database.
"""
import csv
import io
import json
import os
import re
import resource
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

ANALYZER, BOOT_DB = (os.path.abspath(p) for p in sys.argv[1:3])
EXITS = "SELECT * FROM exits ORDER BY id"


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """A message of Protocol Buffers as a list of (field, value)."""
    at, found = 0, []
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif tag & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size, "a field reaches past the end"
        else:
            raise AssertionError(f"wire type {tag & 7}")
        found.append((tag >> 3, value))
    return found


class ExportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.database = os.path.join(cls.folder, "boot.sqlite")
        cls.sums = os.path.join(cls.folder, "sums.sqlite")
        subprocess.run([BOOT_DB, cls.database, "metal", "raw", "2"], check=True)
        subprocess.run([BOOT_DB, cls.sums, "metal", "noraw"], check=True)
        cls.db = sqlite3.connect(cls.database)
        cls.db.row_factory = sqlite3.Row

    def export(self, *options, database=None):
        return subprocess.run([ANALYZER, "--db", database or self.database, "export", "--format", *options],
                              check=True, stdout=subprocess.PIPE).stdout

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_csv(self):
        rows = csv.DictReader(io.StringIO(self.export("csv").decode(), newline=""))
        for row, view in zip(rows, self.db.execute(EXITS), strict=True):
            self.assertEqual(list(row.items()), [(k, "" if view[k] is None else str(view[k])) for k in view.keys()])

    def test_json(self):
        data = json.loads(self.export("json"))
        self.assertEqual(data["run"]["label"], "synthetic <boot> & load")
        self.assertEqual(len(data["exits"]), data["run"]["recorded"])
        for row, view in zip(data["exits"], self.db.execute(EXITS), strict=True):
            self.assertEqual(row, dict(view))

    def test_ndjson(self):
        """Each line is an exit, without what is 0, false or unknown."""
        text = self.export("ndjson").decode()
        run, *lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual((run["label"], run["recorded"], run["dropped"]),
                         ("synthetic <boot> & load", len(lines), 137))
        names = {"time_ns": "time_ns", "vm": "vm", "vcpu": "vcpu_id", "seq": "seq", "reason": "reason_name",
                 "key": "key_text", "ns": "ns", "halted_ns": "halted_ns", "userspace_ns": "userspace_ns",
                 "preempted_ns": "preempted_ns", "to_user": "user_reason_name", "rip": "rip", "pcpu": "pcpu",
                 "fastpath": "fastpath", "nested": "nested", "synthesized": "synthesized",
                 "polled_ns": "polled_ns", "value": "value_text", "requests": "requests", "event": "event_type",
                 "event_vector": "event_vector", "event_error_code": "event_error_code", "errno": "run_errno_name"}
        for line, view in zip(lines, self.db.execute(EXITS), strict=True):
            short = {name: view[column] for name, column in names.items()}
            self.assertEqual(line, {name: value for name, value in short.items()
                                    if value or name in ("time_ns", "vm", "vcpu", "seq")})
        self.assertLess(len(text) / len(lines), 220)

    def test_filter(self):
        data = json.loads(self.export("json", "--vcpu", "1", "--reason", "HLT,48", "--from", "1s", "--to", "2500ms"))
        wanted = [v["id"] for v in self.db.execute("SELECT id FROM exits WHERE vcpu_id = 1 AND basic_reason IN (12, 48)"
                                                   " AND time_ns >= 1e9 AND time_ns < 2.5e9 ORDER BY id")]
        self.assertTrue(wanted)
        self.assertEqual([e["id"] for e in data["exits"]], wanted)

    def test_rows(self):
        path = self.path("plain.sqlite")
        self.assertEqual(self.export("rows", "--output", path), b"")
        plain = sqlite3.connect(path)
        self.assertEqual(plain.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        self.assertEqual([t[0] for t in plain.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")],
                         ["coverage", "exits", "losses", "reasons", "runs", "vms"])
        self.assertFalse(plain.execute("SELECT 1 FROM sqlite_master WHERE type = 'view'").fetchall())
        for table, order in (("exits", "id"), ("runs", "run"), ("coverage", "vcpu"), ("vms", "vm"), ("losses", "vcpu_id"),
                             ("reasons", "isa, number")):
            query = f"SELECT * FROM {table} ORDER BY {order}"
            self.assertEqual(plain.execute(query).fetchall(), [tuple(r) for r in self.db.execute(query)])

    def metrics(self, *options):
        """Samples by name as {labels: value}; checks the rules of the format on the way."""
        text = self.export("openmetrics", *options).decode()
        self.assertTrue(text.endswith("\n# EOF\n"))
        seen, family, kind, samples = set(), None, None, {}
        for line in text.split("\n")[:-2]:
            meta = re.fullmatch(r"# (TYPE|UNIT|HELP) (\w+) (.+)", line)
            if meta:
                if meta.group(1) == "TYPE":
                    family, kind = meta.group(2), meta.group(3)
                    self.assertNotIn(family, seen)
                    seen.add(family)
                if meta.group(1) == "UNIT":
                    self.assertTrue(family.endswith("_" + meta.group(3)))
                self.assertEqual(meta.group(2), family)
                continue
            sample = re.fullmatch(r'(\w+)\{((?:\w+="(?:[^"\\]|\\.)*",?)+)\} (\S+)', line)
            self.assertTrue(sample, line)
            suffixes = {"counter": ["_total"], "info": ["_info"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}
            self.assertIn(sample.group(1), [family + s for s in suffixes[kind]])
            labels = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample.group(2)))
            values = samples.setdefault(sample.group(1), {})
            self.assertNotIn(labels, values)
            values[labels] = float(sample.group(3))
        return samples

    def test_openmetrics(self):
        samples = self.metrics()
        groups = self.db.execute("SELECT vm, vcpu_id, basic_reason, reason_name, count(*) AS n, sum(ns) / 1e9 AS s,"
                                 " sum(halted_ns) / 1e9 AS halted, sum(fastpath) AS fast FROM exits GROUP BY 1, 2, 4")
        count = 0
        for g in groups:
            labels = {("run", "1"), ("vm", str(g["vm"])), ("vcpu", str(g["vcpu_id"])),
                      ("number", str(g["basic_reason"])), ("reason", g["reason_name"])}
            self.assertEqual(samples["kvm_exits_total"][frozenset(labels)], g["n"])
            self.assertEqual(samples["kvm_exit_duration_seconds_count"][frozenset(labels)], g["n"])
            self.assertAlmostEqual(samples["kvm_exit_duration_seconds_sum"][frozenset(labels)], g["s"], delta=1e-4)
            self.assertAlmostEqual(samples["kvm_exit_part_seconds_total"][frozenset(labels | {("part", "halted")})],
                                   g["halted"], delta=1e-4)
            self.assertEqual(samples["kvm_exits_flagged_total"].get(frozenset(labels | {("flag", "fastpath")}), 0),
                             g["fast"])
            count += 1
        self.assertEqual(len(samples["kvm_exits_total"]), count)
        self.assertEqual(samples["kvm_exit_records_total"][frozenset(
            {("run", "1"), ("vm", "1"), ("vcpu", "0"), ("state", "dropped")})], 137)

    def strange(self):
        """A database whose label needs escapes and is not UTF-8."""
        path = self.path("strange.sqlite")
        subprocess.run([BOOT_DB, path, "metal", "raw", "1"], check=True)
        with sqlite3.connect(path) as db:
            db.execute("UPDATE run SET label = CAST(? AS TEXT)", [b'a"b\\c\nd\xff<'])
        return path

    def test_promtool(self):
        """Prometheus' own checker of files accepts what is written for it."""
        for database in (self.database, self.sums, self.strange()):
            text = self.export("prometheus", database=database)
            done = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, b""))

    def test_textfile_collector(self):
        """node_exporter serves the samples of such a file as they are."""
        folder = self.path("textfile")
        os.mkdir(folder)
        self.export("prometheus", "--output", os.path.join(folder, "exits.prom"))
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = "127.0.0.1:%d" % server.getsockname()[1]
        exporter = subprocess.Popen(["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                                     "--collector.textfile.directory=" + folder, "--web.listen-address=" + address],
                                    stderr=subprocess.DEVNULL)
        try:
            served = self.fetch(f"http://{address}/metrics")
        finally:
            exporter.kill()
            exporter.wait()
        self.assertIn("node_textfile_scrape_error 0\n", served)
        written = [line for line in self.export("prometheus").decode().splitlines() if line.startswith("kvm_exits_total{")]
        self.assertGreater(len(written), 5)
        for line in written:
            labels, value = re.fullmatch(r"kvm_exits_total\{(.*)\} (\d+)", line).groups()
            found = [v for names, v in re.findall(r"^kvm_exits_total\{(.*)\} (\S+)$", served, re.M)
                     if sorted(names.split(",")) == sorted(labels.split(","))]
            self.assertEqual([float(v) for v in found], [float(value)])

    def fetch(self, url):
        """A page of a server that may still be starting."""
        for _ in range(300):
            try:
                with urllib.request.urlopen(url, timeout=10) as page:
                    return page.read().decode()
            except OSError:
                time.sleep(0.1)
        return self.fail("node_exporter does not answer")

    def test_strange_label(self):
        """A label that needs escapes and is not UTF-8 keeps the formats readable."""
        path = self.strange()
        text = self.export("openmetrics", database=path).decode()
        self.assertIn('label="a\\"b\\\\c\\nd\ufffd<"', text)
        self.assertEqual(json.loads(self.export("json", "--to", "1ms",
                                                database=path))["run"]["label"], 'a"b\\c\nd\ufffd<')

    def test_openmetrics_buckets_are_exact(self):
        khz = self.db.execute("SELECT tsc_khz FROM run").fetchone()[0]
        buckets = self.metrics("--vcpu", "0", "--reason", "30")["kvm_exit_duration_seconds_bucket"]
        cycles = [c[0] for c in self.db.execute("SELECT cycles FROM exits WHERE vcpu_id = 0 AND basic_reason = 30")]
        self.assertGreater(len(buckets), 10)
        last = -1
        for labels, n in sorted(buckets.items(), key=lambda b: float(dict(b[0])["le"])):
            limit = float(dict(labels)["le"]) * khz * 1000 + 0.5
            self.assertEqual(n, sum(c <= limit for c in cycles))
            self.assertGreaterEqual(n, last)
            last = n
        self.assertEqual(last, len(cycles))

    def trace(self, *options):
        """Names, tracks and events of a trace: (type, track, ns, name, notes)."""
        names, notes, tracks, events = {}, {}, {}, []
        for number, packet in fields(self.export("perfetto", *options)):
            self.assertEqual(number, 1)
            packet = fields(packet)
            one = dict(packet)
            for kind, entry in fields(one.get(12, b"")):
                entry = dict(fields(entry))
                if kind in (2, 3):
                    (names if kind == 2 else notes)[entry[1]] = entry[2].decode()
            if 60 in one:
                tracks[dict(fields(one[60]))[1]] = dict(fields(one[60]))
            if 11 in one:
                event = fields(one[11])
                about = {notes[dict(fields(v))[1]]: fields(v)[1][1] for f, v in event if f == 4}
                event = dict(event)
                self.assertIn(event[11], tracks)
                name = names[event[10]] if 10 in event else event.get(23, b"").decode()
                events.append((event[9], event[11], one[8], name, about, event.get(44)))
        return tracks, events

    def test_perfetto(self):
        tracks, events = self.trace()
        self.assertEqual([t[2].decode() for t in tracks.values() if 2 in t], ["vCPU 0", "vCPU 1", "VM exits per second"])
        begins, ends = [e for e in events if e[0] == 1], [e for e in events if e[0] == 2]
        self.assertEqual(len(begins), len(ends))
        free = {}
        for begin, end, view in zip(begins, ends, self.db.execute(EXITS), strict=True):
            self.assertEqual(begin[1], end[1])
            self.assertGreaterEqual(begin[2], free.get(begin[1], 0), "exits of a vCPU overlap")
            free[begin[1]] = end[2]
            self.assertEqual((begin[2], begin[3]), (view["time_ns"], view["reason_name"]))
            self.assertLessEqual(abs(end[2] - begin[2] - view["ns"]), 1)
            self.assertEqual(begin[4].get("about", b"").decode(), view["key_text"] or "")
            self.assertEqual("%016x" % begin[4]["guest_rip"], view["rip"])
            self.assertEqual(begin[4].get("halted_ns", 0), view["halted_ns"])
            self.assertEqual(begin[4].get("fastpath", 0), view["fastpath"])
        self.assertEqual([e[3] for e in events if e[0] == 3], ["137 exits lost"])
        rates = [e for e in events if e[0] == 4]
        total = sum(a[5] * (b[2] - a[2]) / 1e9 for a, b in zip(rates, rates[1:]))
        self.assertAlmostEqual(total, len(begins), delta=1)

    def test_perfetto_of_a_month(self):
        """Size and memory of a trace grow with its exits, not with its length."""
        path = self.path("month.sqlite")
        subprocess.run([BOOT_DB, path, "metal", "raw", "1"], check=True)
        with sqlite3.connect(path) as db:
            month = 30 * 86400 * 1000 * db.execute("SELECT tsc_khz FROM run").fetchone()[0]
            db.execute("UPDATE run SET tsc_end = tsc_start + ?", [month])
            db.execute("DELETE FROM exit WHERE rowid > 5")
            db.execute("UPDATE exit SET tsc = tsc + ? WHERE rowid = 5", [month - 10**9])
            db.execute("DELETE FROM exit_rollup WHERE slot > 0")
        # Its own process measures the peak: a limit of addresses would end a sanitizer's build.
        script = ("import resource, subprocess, sys\n"
                  "trace = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True).stdout\n"
                  "print(len(trace), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        done = subprocess.run([sys.executable, "-c", script, ANALYZER, "--db", path, "export",
                               "--format", "perfetto"], stdout=subprocess.PIPE, check=True)
        length_bytes, peak_kib = map(int, done.stdout.split())
        self.assertLess(length_bytes, 10000)
        self.assertLess(peak_kib, 200 << 10)

    def test_no_single_exits(self):
        """Without them there are sums, and a clear line for the rest."""
        for kind in ("openmetrics", "prometheus"):
            self.assertIn(b"kvm_exits_total", self.export(kind, database=self.sums))
        for kind in ("csv", "json", "ndjson", "perfetto", "rows"):
            done = self.failing(["--format", kind, "--output", self.path("none")], self.sums)
            self.assertIn("--no-raw", done)
        self.assertFalse(os.path.exists(self.path("none")))

    def failing(self, options, database=None, **more):
        done = subprocess.run([ANALYZER, "--db", database or self.database, "export", *options],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1), done.stderr)
        return done.stderr

    def test_errors(self):
        self.assertIn("--format csv, json, ndjson", self.failing([]))
        self.assertIn("--format xml", self.failing(["--format", "xml"]))
        self.assertIn("--output", self.failing(["--format", "rows"]))
        self.assertIn("No space left", self.failing(["--format", "csv", "--output", "/dev/full"]))
        for kind in ("csv", "rows"):
            self.assertIn("No such file", self.failing(["--format", kind, "--output", self.path("no/where")]))

    def test_nothing_to_export(self):
        for kind in ("csv", "json", "ndjson", "openmetrics", "prometheus", "perfetto", "rows"):
            self.assertIn("no exit matches", self.failing(["--format", kind, "--reason", "TRIPLE_FAULT", "--output",
                                                           self.path("nothing")]))
        self.assertFalse(os.path.exists(self.path("nothing")))

    def test_full_disk_keeps_the_old_file(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000000, 1000000))

        for kind in ("csv", "json", "ndjson", "perfetto", "rows"):
            path = self.path("old." + kind)
            with open(path, "w", encoding="ascii") as file:
                file.write("old")
            self.assertIn("ulimit -f", self.failing(["--format", kind, "--output", path], preexec_fn=limit))
            with open(path, encoding="ascii") as file:
                self.assertEqual(file.read(), "old")
        self.assertFalse([f for f in os.listdir(self.folder) if re.match(r"old\.\w+\.", f)])

    def test_interrupt_leaves_nothing(self):
        for _ in range(20):
            process = subprocess.Popen([ANALYZER, "--db", self.database, "export", "--format", "json", "--output",
                                        self.path("cut")])
            while process.poll() is None and not [f for f in os.listdir(self.folder) if f.startswith("cut.")]:
                pass
            process.send_signal(signal.SIGINT)
            if process.wait() == -signal.SIGINT:
                break
            os.remove(self.path("cut"))  # it was faster than we
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertFalse([f for f in os.listdir(self.folder) if f.startswith("cut")])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
