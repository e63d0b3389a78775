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
COVERAGE = "toUInt64(sum(dropped"  # of ask_coverage.sql alone


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *unused):
        pass

    def do_POST(self):
        query = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append(query)
        servers = self.server.servers
        status, text = self.server.reply
        if "fleet.present" in query:
            status, text = servers.pop(0) if isinstance(servers, list) else servers
        if COVERAGE in query:
            status, text = 200, self.server.coverage
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
        self.server.coverage = b"1000\t0\n"
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

    def question(self):
        """The last one, apart from those about servers and coverage that come with each."""
        return [query for query in self.server.asked if "fleet.present" not in query and COVERAGE not in query][-1]

    def test_answer(self):
        row = b"host\\\\1\tvm\\'s \\t7\t3\t0.25\t0.5\t\\N\t1500000\n"
        out, _ = self.fleet("steal", "--format", "json", reply=row * 2)
        rows = json.loads(out)["rows"]
        self.assertEqual(len(rows), 2)
        self.assertEqual((rows[0]["host"], rows[0]["runs"], rows[0]["waiting"], rows[0]["halted"]),
                         ("host\\1", 3, 0.25, None))
        self.assertIn("1.50 ms", self.fleet("steal", reply=row)[0])

    def test_nothing(self):
        """A table without rows says which runs it is about: those of imports are often older."""
        self.assertIn("Nothing: only runs that began in the last 7 days count", self.fleet("runs")[0])
        self.assertIn("in the last 7 days and in as many before", self.fleet("changed")[0])
        notes = json.loads(self.fleet("steal", "--days", "30", "--format", "json")[0])["notes"]
        self.assertRegex(" ".join(notes), "last 30 days")
        self.assertNotIn("Nothing", self.fleet("steal", reply=b"h\tl\t1\t0.1\t0.1\t0.1\t5\n")[0])

    def test_servers_missing(self):
        self.server.servers = 200, b"2\t3\n"
        self.assertIn("Only 2 of 3 servers", self.fleet("runs", expect=1)[0])

    def test_server_goes_away(self):
        """A server that was there before the question and is not after it may be missing in the answer."""
        self.server.servers = [(200, b"3\t3\n"), (200, b"2\t3\n")]
        self.assertIn("Only 2 of 3 servers", self.fleet("runs", expect=1)[0])

    def test_coverage(self):
        self.server.coverage = b"1000\t25\n"
        row = b"VMX\tHLT\t1\t1\t1\t1\t1\t1\n"
        self.assertIn("2.5 % of the exits of these runs have no record", self.fleet("top-exits", reply=row)[0])

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
        good = b"h\tl\t1\t0.1\t0.1\t0.1\t5\n"
        for reply in (b"h", b"h\n", good[:-1], good + b"h\tv\n", good.replace(b"\n", b"\tx\n"),
                      b"\0" + good,
                      b"\xff\xfe" * 1000, b"\\", b"\\N"):
            with self.subTest(reply=reply[:20]):
                self.assertIn("another form", self.fleet("steal", reply=reply, expect=1)[1])
        for field in (b"\x1b[31m", b"\xff\xfe", b"\\b\\f\\0\\r", b"a" * 5000, "\u202e".encode()):
            out, _ = self.fleet("steal", reply=good.replace(b"l", field))
            self.assertFalse(re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", out), field)
        for number in (b"nan", b"inf", b"-1e999", b"x", b"", b"99999999999999999999"):
            self.fleet("steal", reply=b"h\tv\t%s\t%s\t%s\t%s\t%s\n" % ((number,) * 5))
        self.assertIn("more than 32 MiB", self.fleet("steal", reply=good * 2000000, expect=1)[1])
        self.fleet("steal", reply=good * 100000)
        self.assertIn("another form", self.fleet("steal", reply=good * 100001, expect=1)[1])
        reasons = b"".join(b"0\t1\tR%d\t1\t1\t0\n" % i for i in range(1001))
        self.assertIn("more than 1000 exit reasons", self.fleet("kernels", "1", "2", reply=reasons, expect=1)[1])
        out, error = self.fleet("steal", reply=b"Code: 60, \x1b[31m no table, e.what() = x",
                                status=404, expect=1)
        self.assertRegex(error, r"\Aanalyzer: http.*refuses it with HTTP status 404: Code: 60, \?\[31m no table\n\Z")
        self.assertIn("500", self.fleet("steal", status=500, expect=1)[1])

    @staticmethod
    def runs(is_b, runs, lost=0, **reasons):
        return "".join(f"{is_b}\t{100 * is_b + run}\t{reason}\t{exits + (run * 7 + exits) % 5}\t10\t{lost}\n"
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
        # What has no record could have been any exit: B's 60 a run are less than OLD.
        text = self.runs(0, 20, 1000, CPUID=1000, HLT=500, OLD=300) + self.runs(1, 70, 60, CPUID=2000, HLT=501, NEW=50)
        out, _ = self.fleet("kernels", "6.6", "6.8", reply=text.encode())
        for name, word in (("CPUID", "lost"), ("NEW", "lost"), ("OLD", "vanished"), ("HLT", "~")):
            self.assertRegex(out, rf"{name} .* {word} ")
        self.assertRegex(out, "35.6 % of A's exits and 2.29 % of B's have no record")
        few = self.runs(0, 3, CPUID=1000) + self.runs(1, 70, CPUID=2000)
        out, _ = self.fleet("kernels", "6.6", "6.8", reply=few.encode())
        self.assertRegex(out, r"CPUID .* -")
        self.assertIn("Fewer than 8 runs", out)
        self.assertIn("no run of 6.8 in the last 7 days", self.fleet("kernels", "6.6", "6.8",
                                                  reply=self.runs(0, 9, A=1).encode(), expect=1)[1])

    def test_words_are_quoted(self):
        self.fleet("kernels", "a') OR ('1", "b\\", expect=1)
        self.assertIn("startsWith(ifNull(kernel, ''), 'a\\') OR (\\'1')", self.question())
        self.assertIn("'b\\\\'", self.question())
        self.fleet("runs", "--days", "3", "--limit", "5")
        self.assertIn("3 * 86400", self.question())
        self.assertIn("LIMIT 5", self.question())
        self.assertNotIn("{", self.question())

    def test_joins(self):
        """ANY INNER JOIN keeps all rows of the left side on 18.16, one for each key on later servers."""
        for words in (["top-exits"], ["steal"], ["p99"], ["changed"], ["kernels", "1", "2"], ["runs"]):
            self.fleet(*words, expect=words[0] == "kernels")
            self.assertIn("exitscope_fleet.", self.question())
            self.assertNotRegex(self.question(), r"(?<!ANY LEFT) JOIN")

    def test_words(self):
        for words in (["nothing"], ["kernels", "1"], ["top-exits", "x"], ["runs", "--days", "0"],
                      ["runs", "--days", "x"]):
            self.assertRegex(self.fleet(*words, expect=1)[1], r"\Aanalyzer: .*\n\Z")
        self.assertEqual(self.server.asked, [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
