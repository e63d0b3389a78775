#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""report_test.py ANALYZER BOOT_DB: the page of `analyzer report`.

It must be well-formed, ask nothing of a network and say the numbers of the
database, which are read here through the views and from the single exits.
"""
import contextlib
import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ANALYZER, BOOT_DB = (os.path.abspath(p) for p in sys.argv[1:3])
LABEL = "synthetic <boot> & load"
UNIT = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9}


def text_of(element):
    return "".join(element.itertext())


def number(text):
    return int(text.replace(",", ""))


def duration_ns(text):
    value, unit = text.split()
    return float(value) * UNIT[unit]


class Page:
    def __init__(self, database, *options):
        self.source = subprocess.run([ANALYZER, "--db", database, "report", "--html", "-", *options],
                                     check=True, stdout=subprocess.PIPE).stdout.decode()
        self.root = ElementTree.fromstring(self.source.encode())

    def section(self, name):
        found = [s for s in self.root.iter("section") if s.get("id") == name]
        return found[0] if found else None

    def table(self, name):
        """Rows of the section's table as dictionaries by column title."""
        table = self.section(name).find(".//table")
        titles = [text_of(th) for th in table.findall("./thead/tr/th")]
        return [dict(zip(titles, [text_of(c) for c in row])) for row in table.findall("./tbody/tr")]

    def tiles(self):
        return {text_of(t.find("dt")): text_of(t.find("dd"))
                for t in self.root.iter("div") if t.get("class") == "tile"}

    def tile_note(self, name):
        tiles = [t for t in self.root.iter("div") if t.get("class") == "tile" and text_of(t.find("dt")) == name]
        return text_of(tiles[0].find("dd[@class='sub']"))

    def notices(self):
        return [text_of(p.find("strong")) for p in self.root.iter("p") if p.get("class") == "notice"]


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.database = os.path.join(cls.folder, "boot.sqlite")
        cls.sums = os.path.join(cls.folder, "sums.sqlite")
        subprocess.run([BOOT_DB, cls.database], check=True)
        subprocess.run([BOOT_DB, cls.sums, "emulated", "noraw"], check=True)
        cls.db = sqlite3.connect(cls.database)
        cls.db.row_factory = sqlite3.Row
        cls.page = Page(cls.database)

    def close(self, text, ns):
        """Three digits of a duration agree."""
        self.assertLessEqual(abs(duration_ns(text) - ns), max(0.0051 * ns, 1), f"{text} is not {ns} ns")

    def test_structure(self):
        root = self.page.root
        self.assertTrue(self.page.source.startswith("<!DOCTYPE html>\n<html lang="))
        ids = [e.get("id") for e in root.iter() if e.get("id")]
        self.assertEqual(len(ids), len(set(ids)))
        for element in root.iter():
            for name in ("href", "src", "action", "data", "xlink:href"):
                link = element.get(name)
                if link is not None and link != "data:,":
                    self.assertIn(link.lstrip("#"), ids, f"<{element.tag} {name}={link}>")
                    self.assertEqual(link[0], "#")
            self.assertFalse([a for a in element.attrib if a.startswith("on")])
        for svg in root.iter("svg"):
            self.assertTrue(svg.get("aria-label"), "a picture without words")
        self.assertEqual(text_of(root.find(".//h1")), LABEL)
        self.assertEqual(text_of(root.find(".//title")), "VM exits: " + LABEL)

    def test_no_network(self):
        self.assertIsNone(re.search(r"https?:|//[a-z]|url\(|@import|<script|<iframe|<object|<img|<base",
                                    self.page.source, re.IGNORECASE))
        policy = [m.get("content") for m in self.page.root.iter("meta")
                  if m.get("http-equiv") == "Content-Security-Policy"]
        self.assertTrue(policy and policy[0].startswith("default-src 'none'"))

    def test_numbers_keep_their_units(self):
        """In sentences, where a line may end anywhere: no space that breaks before a unit."""
        texts = [text_of(self.page.section("findings"))]
        texts += [text_of(small) for small in self.page.section("latency").iter("small")]
        self.assertGreater(sum(len(re.findall("\\d\u00a0(?:%|µs|ms|s)\\b|\\d\u00a0%", text)) for text in texts), 10)
        for text in texts:
            self.assertIsNone(re.search(r"\d (?:%|(?:[nuµm]?s|min|cycles)\b)", text), text)

    def test_shades_are_explained(self):
        """Not by "darker": on a dark page the most exits are the lightest."""
        for name in ("timeline", "heat"):
            ramp = text_of(self.page.section(name).find(".//p[@class='ramp']"))
            self.assertRegex(ramp, r"^1 +[\d,]+ exits in a ")
        self.assertNotIn("darker", self.page.source)

    def test_top_table(self):
        rows = self.page.table("top")
        total = rows.pop()
        self.assertEqual(total["Reason"], "(all)")
        self.assertEqual(number(total["Exits"]), sum(number(r["Exits"]) for r in rows))
        self.close(total["Max"], self.db.execute("SELECT max(ns) FROM exits").fetchone()[0])
        views = self.db.execute("SELECT * FROM top_exits JOIN latency USING (run, reason_name)"
                                " ORDER BY top_exits.exits DESC").fetchall()
        self.assertEqual([r["Reason"] for r in rows], [v["reason_name"] for v in views])
        for row, view in zip(rows, views):
            self.assertEqual(number(row["Exits"]), view["exits"])
            self.close(row["Time"], view["ns"])
            self.close(row["Mean"], view["mean_ns"])
            self.close(row["Max"], view["max_ns"])
            for column, name in (("p50", "p50_ns"), ("p90", "p90_ns"), ("p95", "p95_ns"), ("p99", "p99_ns"),
                                 ("p99.9", "p999_ns")):
                self.close(row[column], view[name])
            for column, share in (("Share", view["share"]), ("Time %", view["time_share"])):
                if row[column][0] not in "<>":
                    self.assertAlmostEqual(float(row[column].split()[0]), 100 * share, delta=0.051)

    def test_tiles_and_notices(self):
        run = self.db.execute("SELECT * FROM runs").fetchone()
        tiles = self.page.tiles()
        self.assertEqual(number(tiles["VM exits"]), run["exits"])
        self.assertEqual(tiles["Coverage"], "%.1f %%" % (100 * run["coverage"]))
        self.assertEqual(number(tiles["vCPUs"]), 2)
        self.assertEqual(self.page.notices(), ["Exits are missing."])
        self.assertEqual(Page(self.sums).notices(), ["Emulated machine.", "Exits are missing.", "Sums only."])
        last = shutil.copy(self.database, os.path.join(self.folder, "last.sqlite"))
        with contextlib.closing(sqlite3.connect(last)) as db, db:
            db.execute("UPDATE run SET has_raw = 2")
        self.assertEqual(Page(last).notices(), ["Exits are missing.", "Only the last single exits."])

    def test_unread_exits_are_named_where_they_are_known(self):
        """Only our ring counts the exits before the recording: see run_knows_unread()."""
        self.assertRegex(self.page.tile_note("Coverage"), "^[0-9,]+ dropped, [0-9,]+ before the recording$")
        traced = shutil.copy(self.database, os.path.join(self.folder, "traced.sqlite"))
        with contextlib.closing(sqlite3.connect(traced)) as db, db:
            db.execute("UPDATE run SET source = 'tracefs'")
        self.assertRegex(Page(traced).tile_note("Coverage"), "^[0-9,]+ dropped$")

    def test_slowest(self):
        rows = self.page.table("slowest")
        exits = self.db.execute("SELECT * FROM exits ORDER BY cycles - halted_cycles DESC, id LIMIT 20").fetchall()
        self.assertEqual(len(rows), 20)
        for row, one in zip(rows, exits):
            self.close(row["Duration"], one["ns"])
            self.assertEqual(row["Reason"], one["reason_name"])
            self.assertEqual(row["Guest RIP"], one["rip"])
            self.close(row["Since start"], one["time_ns"])

    def test_subkeys(self):
        rows = [(r["Reason"], r["About"], number(r["Exits"])) for r in self.page.table("subkeys")]
        count = [tuple(c) for c in self.db.execute("SELECT reason_name, key_text, count(*) FROM exits WHERE key NOT NULL"
                                                   " GROUP BY 1, 2 ORDER BY 3 DESC")]
        self.assertEqual([r[2] for r in rows], [c[2] for c in count[:25]])
        self.assertLessEqual(set(rows), set(count))

    def test_vcpus(self):
        rows = self.page.table("vcpus")
        self.assertEqual([(number(r["Exits"]), number(r["Dropped"]), number(r["Unread"])) for r in rows],
                         [tuple(v) for v in self.db.execute("SELECT recorded, dropped, unread FROM coverage")])

    def test_heat_map(self):
        """Every cell of the map of all exits, counted again from the single exits."""
        length, = self.db.execute("SELECT duration_cycles FROM runs").fetchone()
        width = (length + 1 + 119) // 120
        cells = {}
        for time, cycles in self.db.execute("SELECT tsc - (SELECT tsc_start FROM run), cycles FROM exits"):
            shift = max(cycles.bit_length() - 7, 0)
            bucket = cycles if cycles < 64 else (shift + 1) * 64 + (cycles >> shift) % 64
            cell = (time // width, bucket // 16)
            cells[cell] = cells.get(cell, 0) + 1
        most, top = max(cells.values()), max(row for _, row in cells) + 1
        figure = self.page.section("heat").find(".//figure")
        ramp = text_of(figure.find(".//p[@class='ramp']"))
        self.assertEqual(number(re.search(r"([\d,]+) exits in a cell", ramp).group(1)), most)
        drawn = {}
        for path in figure.findall(".//path[@class='cell']"):
            level = int(re.search(r"--h(\d)", path.get("style")).group(1))
            for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path.get("d")):
                drawn.update({(int(x) + i, top - int(y)): level for i in range(int(n))})
        self.assertEqual(drawn.keys(), cells.keys())
        for cell, n in cells.items():
            exact = 1 + 7 * math.log(n) / math.log(most)
            self.assertLessEqual(abs(drawn[cell] - min(math.floor(exact), 7)), abs(exact - round(exact)) < 1e-9)

    def exits_on_timeline(self, page, seconds):
        """Rates of all columns, times their width."""
        tips = [text_of(t) for t in page.section("timeline").iter("title")]
        rates = [float(re.search(r"s: ([\d,.]+) exits/s", t).group(1).replace(",", "")) for t in tips if "exits/s" in t]
        self.assertEqual(len(rates), 120)
        return sum(rates) * seconds / 120

    def test_timeline(self):
        exits, seconds = self.db.execute("SELECT exits, duration_ns / 1e9 FROM runs").fetchone()
        self.assertAlmostEqual(self.exits_on_timeline(self.page, seconds), exits, delta=exits / 1000)
        self.assertIn(", 137 lost", text_of(self.page.section("timeline")))

    def test_sums_only(self):
        """Without single exits: the same sums, coarser charts, no slowest."""
        page = Page(self.sums)
        self.assertIsNone(page.section("slowest"))
        self.assertIsNone(page.section("subkeys"))
        self.assertEqual([(r["Reason"], r["Exits"], r["p99"]) for r in page.table("top")],
                         [(r["Reason"], r["Exits"], r["p99"]) for r in self.page.table("top")])

    def test_filter(self):
        """--from and --to are exact where there are single exits: counts, times and charts."""
        page = Page(self.database, "--vcpu", "1", "--from", "1.25s", "--to", "2.9s", "--cycles")
        expected = self.db.execute("SELECT reason_name, count(*), max(cycles) FROM exits WHERE vcpu_id = 1 AND time_ns"
                                   " BETWEEN 1.25e9 AND 2.9e9 - 1 GROUP BY 1 ORDER BY 2 DESC, basic_reason").fetchall()
        self.assertEqual([(r["Reason"], number(r["Exits"]), number(r["Max"])) for r in page.table("top")],
                         [tuple(e) for e in expected] + [("(all)", sum(e[1] for e in expected), max(e[2] for e in expected))])
        exits = sum(e[1] for e in expected)
        self.assertAlmostEqual(self.exits_on_timeline(page, 1.65), exits, delta=exits / 500)
        self.assertEqual(number(page.tiles()["VM exits"]), exits)
        source = page.source.replace("\n", " ")
        self.assertIn("<strong>Window:</strong> 1.25 s to 2.9 s<", source)
        self.assertIn("of what passes it):</strong> --vcpu 1<", source)

        # Histograms are of the window, too.
        most = expected[0]
        captions = [text_of(f.find("figcaption")) for f in page.section("latency").iter("figure")]
        self.assertTrue(captions[0].startswith(f"{most[0]}{most[1]:,} exits"), captions[0])

    def test_cross_check(self):
        """The same sums and explanations as `analyzer verify`, one of them wrong by 5."""
        path = os.path.join(self.folder, "checked.sqlite")
        subprocess.run([BOOT_DB, path], check=True)
        with sqlite3.connect(path) as db:
            for source in ("totals", "totals_recorded"):
                db.execute("INSERT INTO crosscheck SELECT 1, vcpu, ?, 'exits', basic_reason, count(*)"
                           " + 5 * (basic_reason = 12 AND vcpu_id = 1), sum(cycles) FROM exits GROUP BY vcpu, basic_reason",
                           [source])
        verify = json.loads(subprocess.run([ANALYZER, "--db", path, "verify", "--all", "--format", "json"],
                                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
        self.assertTrue([e for e in verify["equations"] if e["verdict"] == "UNEXPLAINED"])
        page = Page(path)
        self.assertEqual([(r["Equation"], number(r["Checks"]), number(r["Equal"]), r["Verdict"])
                          for r in page.table("checks")],
                         [(e["equation"], e["checks"], e["equal"], e["verdict"]) for e in verify["equations"]])
        self.assertIn("UNEXPLAINED", text_of(page.section("checks")))
        self.assertNotIn("UNEXPLAINED", text_of(self.page.section("checks")))

    def test_capabilities(self):
        path = os.path.join(self.folder, "caps.sqlite")
        subprocess.run([BOOT_DB, path], check=True)
        with sqlite3.connect(path) as db:
            db.execute("INSERT INTO vmx_capability VALUES (1, 0, 0x480, 0x123, 1), (1, 1, 0x480, 0x123, 1),"
                       " (1, 0, 0x485, 0, 0)")
        rows = Page(path).table("capabilities")
        self.assertEqual(rows, [{"MSR": "0x480", "Name": "IA32_VMX_BASIC", "Value": "0000000000000123", "CPUs": "2"},
                                {"MSR": "0x485", "Name": "IA32_VMX_MISC", "Value": "not readable", "CPUs": "1"}])
        self.assertIsNone(self.page.section("capabilities"))

    def test_phases(self):
        timeline = json.loads(subprocess.run([ANALYZER, "--db", self.database, "timeline", "--format", "json"], check=True,
                                             stdout=subprocess.PIPE).stdout)
        strip = [d for d in self.page.section("timeline").iter("div") if d.get("class") == "phases"][0]
        self.assertEqual([text_of(s) for s in strip], [p["phase"] for p in timeline["phases"]])
        self.assertGreater(len(timeline["phases"]), 1)

    def test_times_of_a_short_window(self):
        """Tool tips of a window far from the start: each column begins and ends at another time."""
        for options in (["--from", "6s", "--to", "6.003s"], ["--from", "9.5s", "--to", "9.51s"], []):
            page = Page(self.database, *options)
            tips = re.findall(r"([-+.e\d]+) to ([-+.e\d]+) s\b", page.source)
            self.assertGreater(len(tips), 50)
            for begin, end in tips:
                self.assertLess(float(begin), float(end), options)
                self.assertNotIn("e", begin + end)
            begins = [float(t) for t in re.findall(r"from ([-+.e\d]+) s\b", page.source)]
            self.assertEqual(len(begins), len(set(begins)), options)

    def test_outputs(self):
        """A file is replaced as a whole; what cannot be written is one line and status 1."""
        path = os.path.join(self.folder, "out.html")
        for options, complaint in ((["--html", path], None), (["--html", "/dev/full"], "No space left"),
                                   (["--html", self.folder + "/none/x.html"], "No such file"),
                                   ([], "where to?"), (["--html", path, "--run", "9"], "no run 9"),
                                   (["--html", path, "--reason", "2"], "")):
            done = subprocess.run([ANALYZER, "--db", self.database, "report", *options], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.stdout, "")
            if complaint is None:
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                continue
            self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
            self.assertIn(complaint, done.stderr)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), self.page.source)
        self.assertEqual([f for f in os.listdir(self.folder) if f.startswith("out.html.")], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
