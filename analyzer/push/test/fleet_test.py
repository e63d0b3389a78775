#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""fleet_test.py ANALYZER: analyzer fleet, and what it makes of answers.

The server here is not ClickHouse but stands in for it: it gives the answers that a test has
written, true and false ones. clickhouse_test asks real servers.
"""
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import unittest
import urllib.parse

ANALYZER = os.path.abspath(sys.argv[1])


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *unused):
        pass

    def do_POST(self):
        query = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append(query)
        status, text = self.server.servers if "fleet.present" in query else self.server.reply
        if "system.tables" in urllib.parse.unquote(self.path):
            status, text = 200, self.server.tables
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        try:
            self.wfile.write(text)
        except OSError:
            pass  # it has read enough


class FleetTest(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.asked, self.server.servers, self.server.tables = [], (200, b"3\t3\n"), b"1\n"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def fleet(self, *words, reply=b"", status=200, expect=0):
        self.server.reply = status, reply
        done = subprocess.run([ANALYZER, "fleet", *words, "--from",
                               f"http://127.0.0.1:{self.server.server_address[1]}"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stdout.decode(), done.stderr.decode()

    def test_answer(self):
        row = b"host\\\\1\tvm \\t7\t3\tlabel\\'s\t0.25\t0.5\t\\N\t1500000\n"
        out, _ = self.fleet("steal", "--format", "json", reply=row * 2)
        rows = json.loads(out)["rows"]
        self.assertEqual(len(rows), 2)
        self.assertEqual((rows[0]["host"], rows[0]["label"], rows[0]["waiting"], rows[0]["halted"]),
                         ("host\\1", "label's", 0.25, None))
        self.assertIn("1.50 ms", self.fleet("steal", reply=row)[0])

    def test_nothing(self):
        """A table without rows says which runs it is about: those of imports are often older."""
        self.assertIn("Nothing: only runs that began in the last 7 days count", self.fleet("runs")[0])
        self.assertIn("in the last 7 days and in as many before", self.fleet("changed")[0])
        notes = json.loads(self.fleet("steal", "--days", "30", "--format", "json")[0])["notes"]
        self.assertRegex(" ".join(notes), "last 30 days")
        self.assertNotIn("Nothing", self.fleet("steal", reply=b"h\tv\t1\tl\t0.1\t0.1\t0.1\t5\n")[0])

    def test_servers_missing(self):
        self.server.servers = 200, b"2\t3\n"
        self.assertIn("Only 2 of 3 servers", self.fleet("runs", expect=1)[0])

    def test_no_tables(self):
        """The way out is said. A server that has them and refuses is quoted."""
        self.server.servers = 404, b"Code: 81, e.displayText() = DB::Exception: Database exitscope_fleet doesn't exist"
        self.assertRegex(self.fleet("runs", expect=1)[1],
                         r"refuses it with HTTP status 404: Code: 81")
        self.server.tables = b"0\n"
        url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.assertEqual(self.fleet("runs", expect=1)[1],
                         f"analyzer: {url}: it has no tables of exitscope (make them with analyzer push --to {url} --create)\n")

    def test_hostile(self):
        """No answer does more than to be an error, or a text without control characters."""
        good = b"h\tv\t1\tl\t0.1\t0.1\t0.1\t5\n"
        for reply in (b"h", b"h\n", good[:-1], good + b"h\tv\n", good.replace(b"\n", b"\tx\n"),
                      b"\0" + good,
                      b"\xff\xfe" * 1000, b"\\", b"\\N"):
            with self.subTest(reply=reply[:20]):
                self.assertIn("another form", self.fleet("steal", reply=reply, expect=1)[1])
        for field in (b"\x1b[31m", b"\xff\xfe", b"\\b\\f\\0\\r", b"a" * 5000, "\u202e".encode()):
            out, _ = self.fleet("steal", reply=good.replace(b"l", field))
            self.assertFalse(re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", out), field)
        for number in (b"nan", b"inf", b"-1e999", b"x", b"", b"99999999999999999999"):
            self.fleet("steal", reply=b"h\tv\t%s\tl\t%s\t%s\t%s\t%s\n" % ((number,) * 5))
        self.assertIn("more than 32 MiB", self.fleet("steal", reply=good * 2000000, expect=1)[1])
        out, error = self.fleet("steal", reply=b"Code: 60, \x1b[31m no table, e.what() = x",
                                status=404, expect=1)
        self.assertRegex(error, r"\Aanalyzer: http.*refuses it with HTTP status 404: Code: 60, \?\[31m no table\n\Z")
        self.assertIn("500", self.fleet("steal", status=500, expect=1)[1])

    @staticmethod
    def runs(is_b, runs, **reasons):
        return "".join(f"{is_b}\t{100 * is_b + run}\t{reason}\t{exits + (run * 7 + exits) % 5}\t10\n"
                       for run in range(runs) for reason, exits in sorted(reasons.items()))

    def test_kernels(self):
        text = self.runs(0, 20, CPUID=1000, HLT=500, OLD=300) + self.runs(1, 70, CPUID=2000,
                                                                          HLT=501, NEW=50)
        rows = json.loads(self.fleet("kernels", "6.6", "6.8", "--format", "json",
                                     reply=text.encode())[0])["rows"]
        words = {row["name"]: row["change"] for row in rows}
        self.assertEqual(words, {"CPUID": "more", "NEW": "new", "OLD": "vanished", "HLT": "~"})
        cpuid = next(row for row in rows if row["name"] == "CPUID")
        self.assertAlmostEqual(cpuid["b_per_s"] / cpuid["a_per_s"], 2, places=1)
        few = self.runs(0, 3, CPUID=1000) + self.runs(1, 70, CPUID=2000)
        out, _ = self.fleet("kernels", "6.6", "6.8", reply=few.encode())
        self.assertRegex(out, r"CPUID .* -")
        self.assertIn("Fewer than 8 runs", out)
        self.assertIn("no run of 6.8 in the last 7 days", self.fleet("kernels", "6.6", "6.8",
                                                  reply=self.runs(0, 9, A=1).encode(), expect=1)[1])

    def test_words_are_quoted(self):
        self.fleet("kernels", "a') OR ('1", "b\\", expect=1)
        self.assertIn("startsWith(ifNull(kernel, ''), 'a\\') OR (\\'1')", self.server.asked[-1])
        self.assertIn("'b\\\\'", self.server.asked[-1])
        self.fleet("runs", "--days", "3", "--limit", "5")
        self.assertIn("3 * 86400", self.server.asked[-1])
        self.assertIn("LIMIT 5", self.server.asked[-1])
        self.assertNotIn("{", self.server.asked[-1])

    def test_joins(self):
        """ANY INNER JOIN keeps all rows of the left side on 18.16, one for each key on later servers."""
        for words in (["top-exits"], ["steal"], ["p99"], ["changed"], ["kernels", "1", "2"], ["runs"]):
            self.fleet(*words, expect=words[0] == "kernels")
            self.assertIn("exitscope_fleet.", self.server.asked[-1])
            self.assertNotRegex(self.server.asked[-1], r"(?<!ANY LEFT) JOIN")

    def test_words(self):
        for words in (["nothing"], ["kernels", "1"], ["top-exits", "x"], ["runs", "--days", "0"],
                      ["runs", "--days", "x"]):
            self.assertRegex(self.fleet(*words, expect=1)[1], r"\Aanalyzer: .*\n\Z")
        self.assertEqual(self.server.asked, [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
