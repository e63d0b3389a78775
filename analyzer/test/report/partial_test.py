#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""partial_test.py ANALYZER BOOT_DB - recordings that lack something, as page and as tables.

What a recording has not is said or left out, never shown as 0: durations, dropped exits, vCPUs that
began late. Its counts and shares stay right.
"""
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ANALYZER, BOOT_DB = (os.path.abspath(p) for p in sys.argv[1:3])

NO_DURATIONS = """
UPDATE run SET has_split = 0, source = 'perf.data';
UPDATE exit SET cycles = 0, halted_cycles = 0, userspace_cycles = 0, preempted_cycles = 0, flags = 0;
UPDATE exit_rollup SET cycles = 0, halted_cycles = 0, userspace_cycles = 0, preempted_cycles = 0, min_cycles = 0,
 max_cycles = 0, n_user = 0, n_fastpath = 0;
DELETE FROM exit_rollup_coarse; DELETE FROM exit_hist_total; DELETE FROM exit_hist;
INSERT INTO exit_hist SELECT vcpu, (tsc - (SELECT tsc_start FROM run)) / (SELECT hist_cycles FROM run), reason, part, 0,
 count(*) FROM exit JOIN (SELECT 0 AS part UNION SELECT 1) GROUP BY 1, 2, 3, 4;
INSERT INTO crosscheck SELECT 1, id, 'trace', 'untimed', NULL, recorded, NULL FROM vcpu;
"""

# KVM's totals: dropped exits of a reason that is rare among the recorded ones, and of one that is not there.
LOSSES = """
DELETE FROM loss;
UPDATE vcpu SET dropped = 500000 + 7;
INSERT INTO crosscheck SELECT 1, id, 'totals_dropped', 'exits', 55, 500000, NULL FROM vcpu;
INSERT INTO crosscheck SELECT 1, id, 'totals_dropped', 'exits', 18, 7, NULL FROM vcpu;
INSERT INTO loss SELECT id, 5, 500007, NULL, NULL FROM vcpu;
"""

# The second vCPU begins in the middle of the run.
LATE = """
DELETE FROM exit WHERE vcpu = 2 AND tsc < (SELECT tsc_start + 10 * rollup_cycles * 5 FROM run);
DELETE FROM exit_rollup WHERE vcpu = 2 AND slot < 50;
DELETE FROM exit_rollup_coarse; DELETE FROM exit_hist_total;
UPDATE vcpu SET unread = 0, recorded = (SELECT count(*) FROM exit WHERE vcpu = vcpu.id);
"""

NO_EXITS = """
DELETE FROM exit; DELETE FROM exit_rollup; DELETE FROM exit_rollup_coarse; DELETE FROM exit_hist; DELETE FROM exit_hist_packed;
DELETE FROM exit_hist_total; DELETE FROM crosscheck; DELETE FROM loss;
UPDATE vcpu SET recorded = 0, dropped = 0, unread = 0;
"""


class PartialTest(unittest.TestCase):
    def make(self, change):
        path = os.path.join(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")), "run.sqlite")
        subprocess.run([BOOT_DB, path], check=True)
        db = sqlite3.connect(path)
        db.executescript(change)
        db.commit()
        db.close()
        return path

    def run_analyzer(self, path, *words):
        done = subprocess.run([ANALYZER, "--db", path, *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def page(self, path, *words):
        return self.run_analyzer(path, "report", "--html", "-", *words)

    def section(self, page, name):
        found = re.search(f'<section id="{name}">.*?</section>', page, re.DOTALL)
        return found.group(0) if found else None

    def test_page_without_exits(self):
        path = self.make(NO_EXITS)
        page = self.page(path)
        self.assertIn("No VM exit was recorded", page)
        self.assertIn("<dt>VM exits</dt><dd>0<", page)
        self.assertIsNotNone(self.section(page, "vcpus"))
        self.assertIsNone(self.section(page, "top"))
        self.assertNotIn("nan", page)
        self.assertIn("No VM exit was recorded", self.page(path, "--reason", "HLT"))

        # Without a vCPU there is not even that table. Exits that a filter hides are an error, as ever.
        page = self.page(self.make(NO_EXITS + "DELETE FROM vcpu; DELETE FROM vm;"))
        self.assertIsNone(self.section(page, "vcpus"))
        done = subprocess.run([ANALYZER, "--db", self.make(""), "report", "--html", "-", "--reason", "GETSEC"],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn("no exit matches", done.stderr)

    def test_page_of_a_long_run(self):
        """The axes have a unit in which their numbers are short, and few exits are not no exits."""
        for seconds, unit in ((300, "seconds"), (3600, "minutes"), (86400, "hours"), (30 * 86400, "days"), (300 * 86400, "days")):
            page = self.page(self.make(f"UPDATE run SET tsc_end = tsc_start + tsc_khz * 1000 * {seconds}"))
            found = set(re.findall(r"(\w+) since the start of the run<", page))
            self.assertEqual(found, {unit}, seconds)
            self.assertIsNone(re.search(r"\de\+\d", page), f"a number with an exponent, {seconds} s")
        self.assertIn("<dt>Exits per second</dt><dd>&lt;0.01", page)

    def test_page_without_durations(self):
        page = self.page(self.make(NO_DURATIONS))
        self.assertIn("No durations.", page)
        for name in ("heat", "latency", "split", "slowest", "states"):
            self.assertIsNone(self.section(page, name), name)
            self.assertNotIn(f'href="#{name}"', page)
        for name in ("findings", "top", "subkeys", "vcpus"):
            part = self.section(page, name)
            for word in ("0 ns", ">Mean<", ">p99<", "user space", "fast path", "halted", "takes the most time"):
                self.assertNotIn(word, part, name)
        self.assertIn("most frequent reason", page)

    def test_tables_without_durations(self):
        path = self.make(NO_DURATIONS)
        for words in (("sequences",), ("explain",), ("top-exits", "--by", "userspace-reason"), ("findings",), ("latency",)):
            got = self.run_analyzer(path, *words)
            for word in ("0 ns", "handled in the kernel", "went to user space", "last less than", "real hardware"):
                self.assertNotIn(word, got, words)
        pairs = self.run_analyzer(path, "sequences", "--table", "pairs", "--format", "csv")
        self.assertTrue(all(line.split(",")[5:8] == ["", "", ""] for line in pairs.splitlines()[1:]), pairs[:300])
        self.assertEqual(self.run_analyzer(path, "sequences", "--table", "bursts", "--format", "csv").count("\n"), 1)

    def test_dropped_exits_count_everywhere(self):
        path = self.make(LOSSES)
        order = [line.split(",")[1:3] for line in
                 self.run_analyzer(path, "top-exits", "--format", "csv").splitlines()[1:]]
        self.assertEqual(order[0][0], "XSETBV")
        page = self.page(path)
        rows = re.findall(r'<th scope="row">([^<]+)</th><td class="num">([\d,]+)', self.section(page, "top"))
        self.assertEqual([[name, n.replace(",", "")] for name, n in rows[:-1]], order)
        self.assertIn(["VMCALL", "14"], order)
        self.assertNotRegex(page, "(?i)[^a-z]-?nan[^a-z]")
        self.assertIn("<strong>XSETBV</strong> is the most frequent reason", page)
        self.assertIn(f"VM exits</dt><dd>{sum(int(n) for _, n in order):,}<", page)
        vcpus = re.findall(r'PID \d+\)</th><td class="num">\d+</td><td class="num">([\d,]+)', page)
        self.assertEqual(sum(int(n.replace(",", "")) for n in vcpus), sum(int(n) for _, n in order))

        got = self.run_analyzer(path, "explain", "VMCALL,XSETBV")
        self.assertIn("14 exits", got)
        self.assertNotIn("does not occur", got)
        self.assertIn("include the dropped exits", got)

    def test_missing_records_stand_out_first(self):
        path = self.make(LOSSES)
        got = self.run_analyzer(path, "findings")
        self.assertRegex(got, r"\n1\. Records are missing: \d+\.\d % of the exits were dropped")
        self.assertLess(self.page(path).index("Records are missing"), self.page(path).index("most frequent reason"))
        self.assertNotIn("Records are missing", self.run_analyzer(self.make(""), "findings"))

    def test_notes_say_which_counts_include_dropped_exits(self):
        path = self.make(LOSSES)
        for words, includes in ((("top-exits",), True), (("top-exits", "--by", "subkey"), False), (("latency",), False),
                                (("timeline", "--table", "timeline"), False), (("timeline", "--table", "reasons"), True),
                                (("sequences",), False), (("states",), False), (("compare", "1", "1"), True)):
            got = self.run_analyzer(path, *words)
            self.assertEqual("include the dropped exits" in got, includes, words)
            self.assertEqual("the true counts are higher" in got, not includes, words)
        self.assertIn("table of reasons counts the dropped", self.run_analyzer(path, "timeline"))
        self.assertIn("recorded exits", self.run_analyzer(path, "live", "--plain", "--count", "1"))

    def test_shares_are_of_the_life_of_each_vcpu(self):
        path = self.make(LATE)
        db = sqlite3.connect(path)
        khz, start, end = db.execute("SELECT tsc_khz, tsc_start, tsc_end FROM run").fetchone()
        born, = db.execute("SELECT min(tsc) - ? FROM exit WHERE vcpu = 2", (start,)).fetchone()
        width = (end - start + 1 + 119) // 120
        parts = {}
        for column, halted in db.execute("SELECT (tsc - ?1) / ?2, sum(halted_cycles) FROM exit GROUP BY 1", (start, width)):
            parts[column] = halted
        db.close()

        chart = self.section(self.page(path), "timeline").split("Time spent in exits")[1]
        tips = re.findall(r"<title>[^<]*halted ([&lgt;]*)([\d.]+) %</title>", chart)
        self.assertEqual(len(tips), 120)
        self.assertGreater(born, 20 * width)
        checked = 0
        for column, (sign, shown) in enumerate(tips):
            begin, to = column * width, min((column + 1) * width, end - start)
            lived = to - begin + max(0, to - max(begin, born))
            if not sign and lived:
                self.assertAlmostEqual(float(shown), 100 * parts.get(column, 0) / lived, delta=0.06)
                checked += float(shown) > 0 and to <= born
        self.assertGreater(checked, 5)

    def test_few_exits_make_no_phases(self):
        path = self.make("DELETE FROM exit; DELETE FROM exit_rollup WHERE vcpu = 2 OR reason <> 10 OR slot * 7919 % 13;"
                         "UPDATE exit_rollup SET n = 1, cycles = 0, halted_cycles = 0, userspace_cycles = 0,"
                         " preempted_cycles = 0; UPDATE run SET has_raw = 0;"
                         "DELETE FROM exit_rollup_coarse; DELETE FROM exit_hist_total")
        phases = self.run_analyzer(path, "timeline", "--table", "phases", "--format", "csv").splitlines()[1:]
        strip = re.search(r'<div class="phases">(.*?)</div>', self.page(path), re.DOTALL).group(1)
        self.assertEqual(re.findall(r">(\w+)</span>", strip), [line.split(",")[0] for line in phases])

    def test_an_unknown_shortest_exit_is_not_0(self):
        # A file that version 1 of the schema damaged, repaired without rows.
        path = self.make("UPDATE exit_rollup SET min_cycles = NULL, first_tsc = NULL WHERE reason = 10; DELETE FROM exit;"
                         "UPDATE run SET has_raw = 0; DELETE FROM exit_rollup_coarse; DELETE FROM exit_hist_total")
        for words in (("top-exits",), ("latency",), ("latency", "--by", "vcpu"), ("top-exits", "--by", "vm")):
            rows = [line.split(",") for line in self.run_analyzer(path, *words, "--format", "csv").splitlines()]
            column = rows[0].index("min_ns")
            for row in rows[1:]:
                self.assertEqual(row[column] == "", "CPUID" in row or "--by" in words, (words, row))
                self.assertNotEqual(row[column], "0")
        self.assertRegex(self.section(self.page(path), "top"), '>CPUID<.*?<td class="num none">–</td>')

    def test_windows_have_all_digits(self):
        path = self.make("")
        for words, text in ((("--from", "1.95s", "--to", "1.951s"), "1.95 s to 1.951 s"),
                            (("--from", "9.99s"), "9.99 s to the end, 10.0 s"), (("--to", "1500us"), "0 ns to 1.5 ms"),
                            (("--from", "2s", "--to", "2010000500ns"), "2 s to 2.0100005 s")):
            self.assertIn(f"\nwindow: {text}\n", self.run_analyzer(path, "timeline", *words), words)

    def test_vms_are_named(self):
        path = self.make("INSERT INTO vm_identity (vm, name, name_source) VALUES (1, 'web-1', 'qemu')")
        for words in (("timeline",), ("live", "--plain", "--count", "1")):
            self.assertIn("\nVM: web-1\n", self.run_analyzer(path, *words))
            self.assertNotIn("\nVM", self.run_analyzer(self.make(""), *words))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
