#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""findings_test.py ANALYZER FIXTURE - each rule holds where it should and nowhere else

A recording is made for each rule, at its threshold and just below it. What is said of the
recorded boots is in analyzer/testdata/recorded/findings*.out.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

ANALYZER, FIXTURE = sys.argv[1:3]
KHZ = 1000000  # 1 cycle = 1 ns
MS = 1000000
FAST, NESTED, USER = 1, 2, 4
HISTORY = """
DELETE FROM exit_rollup; DELETE FROM exit_hist; DELETE FROM exit_rollup_coarse; DELETE FROM exit_hist_total;
INSERT INTO exit_rollup SELECT vcpu, (tsc - 0) / 100000000, reason, count(*), sum(cycles), sum(halted_cycles),
 sum(userspace_cycles), sum(preempted_cycles), min(cycles), max(cycles), sum(flags & 1), sum(flags & 2) / 2,
 sum(flags & 4) / 4, 0, min(tsc), max(tsc), sum(polled_cycles) FROM exit GROUP BY 1, 2, 3;
INSERT INTO exit_hist SELECT vcpu, tsc / 1000000000, reason, 0, bucket(cycles), count(*) FROM exit GROUP BY 1, 2, 3, 5;
UPDATE vcpu SET recorded = (SELECT count(*) FROM exit WHERE vcpu = vcpu.id);
"""


def bucket(value):
    exponent = value.bit_length() - 1
    return value if value < 64 else 64 * (exponent - 5) + (value >> (exponent - 6)) - 64


def ex(reason, n, cycles=2000, halted=0, user=0, waiting=0, key=None, aux=None, flags=0, vm=1):
    """n exits of a reason; key may be a function of their number"""
    return [(vm, reason, flags, cycles, halted, user, waiting, key(i) if callable(key) else key, aux) for i in range(n)]


# Other exits, which no rule is about.
def rest(n):
    return ex(1, n)


CASES = {
    # rule: (what makes it hold, what is just not enough), and options of the run
    "steal": (ex(1, 100, cycles=200000, waiting=190000) + rest(2000), ex(1, 40, cycles=20000, waiting=19000) + rest(2000)),
    "vmm": (ex(1, 2000, cycles=60000, user=58000, flags=USER), ex(1, 2000, cycles=4000, user=3000, flags=USER)),
    "short-halts": (ex(12, 1000, cycles=20000, halted=18000) + rest(1000),
                    ex(12, 1000, cycles=120000, halted=118000) + rest(1000)),
    "first-touch": (ex(48, 1000, key=lambda i: i * 4096, aux=2) + rest(9000), ex(48, 999, key=lambda i: i * 4096, aux=2)),
    "repeated-faults": (ex(48, 1000, key=lambda i: i % 10 * 4096, aux=2) + rest(9000),
                        ex(48, 999, key=lambda i: i % 10 * 4096, aux=2)),
    "rtc": (ex(30, 500, key=0x70, aux=1) + ex(30, 500, key=0x71, aux=0x11) + rest(19000),
            ex(30, 1000, key=0x72, aux=1) + rest(19000)),
    "pm-timer": (ex(30, 1000, key=0x608, aux=0x14) + rest(19000), ex(30, 1000, key=0x608, aux=2) + rest(19000)),
    "pit": (ex(30, 1000, key=0x40, aux=0x11) + rest(19000), ex(30, 1000, key=0x40, aux=0x11) + rest(19100)),
    "pic": (ex(30, 1000, key=0x21, aux=1) + rest(19000), ex(30, 999, key=0x21, aux=1) + rest(9000)),
    "uart": (ex(30, 1000, key=0x3f8, aux=1) + rest(19000), ex(30, 1000, key=0x400, aux=1) + rest(19000)),
    "ide": (ex(30, 1000, key=0x1f7, aux=1) + rest(19000), ex(30, 1000, key=0x1f8, aux=1) + rest(19000)),
    "tsc-deadline": (ex(32, 1000, key=0x6e0, aux=1) + rest(9000), ex(32, 1000, key=0x6e0, aux=1, flags=FAST) + rest(9000)),
    "eoi": (ex(32, 1000, key=0x80b, aux=1) + rest(19000), ex(31, 1000, key=0x80b, aux=0) + rest(19000)),
    "ipi": (ex(32, 1000, key=0x830, aux=1) + rest(19000), ex(32, 1000, key=0x831, aux=1) + rest(19000)),
    "xapic": (ex(49, 1000, key=0xfee000b0, aux=0) + rest(19000), ex(49, 1000, key=0xfee01000, aux=0) + rest(19000)),
    "pause": (ex(40, 1000) + rest(19000), ex(40, 1000) + rest(19100)),
    "cr3": (ex(28, 1000, key=3, aux=0) + rest(19000), ex(28, 1000, key=0, aux=0) + rest(19000)),
    "shadow-faults": (ex(0, 1000, key=14) + rest(19000), ex(0, 1000, key=6) + rest(19000)),
    "cpuid": (ex(10, 1000, key=1, aux=0) + rest(19000), ex(10, 999, key=1, aux=0) + rest(2000)),
    "mmio": (ex(49, 1000, key=0xfe000000, flags=USER) + rest(19000), ex(49, 1000, key=0xfe000000) + rest(19000)),
    "nested": (ex(18, 1000, flags=NESTED) + rest(19000), ex(18, 1000) + rest(19000)),
}


class FindingsTest(unittest.TestCase):
    def make(self, exits, **run):
        """A database with one run of these exits, 10 us apart, on two VMs with a vCPU each."""
        path = os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), "findings.sqlite")
        shutil.copyfile(FIXTURE, path)
        os.chmod(path, 0o644)
        db = sqlite3.connect(path)
        db.create_function("bucket", 1, bucket, deterministic=True)
        for table in ("exit", "loss", "crosscheck", "leaf_reading", "vmx_capability"):
            db.execute(f"DELETE FROM {table}")
        db.execute("DELETE FROM run WHERE id > 1")
        db.execute("DELETE FROM vm WHERE run_id > 1")
        db.execute("DELETE FROM vcpu WHERE vm_id > 2 OR vcpu_id > 0")
        at = {1: 0, 2: 0}
        vcpu = {1: 1, 2: 3}
        rows = []
        for vm, reason, flags, cycles, halted, user, waiting, key, aux in exits:
            rows.append((vcpu[vm], len(rows), at[vm], reason, flags | 8, cycles, halted, user, waiting, key, aux))
            at[vm] += cycles + 10000
        db.executemany("INSERT INTO exit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 0, 0, 0, 0, 0, 0, NULL,"
                       " NULL, NULL, NULL, NULL, NULL, NULL)", rows)
        db.execute("UPDATE exit SET polled_cycles = halted_cycles / 4 WHERE halted_cycles > 0")
        values = {"tsc_khz": KHZ, "tsc_start": 0, "tsc_end": max(at.values()), "rollup_cycles": 100 * MS,
                  "hist_cycles": 1000 * MS, "source": "ring", "environment": "metal", "ept": "Y", **run}
        for name, value in values.items():
            db.execute(f"UPDATE run SET {name} = ?", (value,))
        db.execute("UPDATE vcpu SET dropped = 0, filtered = 0, unread = 0")
        db.executescript(HISTORY)
        db.commit()
        db.close()
        return path

    def findings(self, path, *words):
        done = subprocess.run([ANALYZER, "--db", path, "findings", "--format", "json", *words],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def rules(self, exits, **run):
        return [f["rule"] for f in self.findings(self.make(exits, **run))["findings"]]

    def test_each_rule_holds_at_its_threshold_alone(self):
        for rule, (enough, too_little) in CASES.items():
            with self.subTest(rule=rule):
                run = {"ept": "N"} if rule in ("cr3", "shadow-faults") else {}
                self.assertEqual(self.rules(enough, **run), [rule])
                self.assertNotIn(rule, self.rules(too_little, **run))

    def test_all_rules_are_tested(self):
        text = subprocess.run([ANALYZER, "findings", "--help"], capture_output=True, text=True, check=True).stdout
        for rule in CASES:
            self.assertIn(rule, text)

    def test_shadow_rules_need_ept_to_be_off(self):
        for rule in ("cr3", "shadow-faults"):
            self.assertEqual(self.rules(CASES[rule][0]), [])

    def test_time_of_emulated_machines_is_not_judged(self):
        for rule in ("steal", "vmm", "short-halts"):
            self.assertEqual(self.rules(CASES[rule][0], environment="emulated"), [], rule)

    def test_short_halts_say_how_much_was_polled_where_it_is_known(self):
        for features, known in ((0x10, True), (0, False), (None, False)):
            finding, = self.findings(self.make(CASES["short-halts"][0], features=features))["findings"]
            self.assertEqual("KVM polled 25.0 % of the halted time" in finding["evidence"], known, finding)

    def test_fast_path_is_known_to_the_ring_alone(self):
        self.assertEqual(self.rules(CASES["tsc-deadline"][0], source="bpf"), [])

    def test_shares_of_a_filtered_recording_are_not_judged(self):
        path = self.make(CASES["rtc"][0])
        db = sqlite3.connect(path)
        db.execute("UPDATE vcpu SET filtered = 5")
        db.commit()
        db.close()
        got = self.findings(path)
        self.assertEqual(got["findings"], [])
        self.assertTrue(any("left out on request" in n for n in got["notes"]))

    def test_steal_names_the_vm_that_waits(self):
        exits = ex(1, 1000, vm=1) + ex(1, 1000, vm=2) + ex(1, 100, cycles=900000, waiting=890000, vm=2)
        got = self.findings(self.make(exits))["findings"]
        self.assertEqual([(f["rule"], f["vm"]) for f in got], [("steal", 2)])
        self.assertIn("fc-7 waits for a CPU", got[0]["title"])

        # ... and so does the first screen of all that shows VMs.
        path = self.make(exits)
        for words, line in ((("states",), 3), (("top-exits", "--by", "vm"), 3), (("top-exits",), -1),
                            (("top-exits", "--by", "vm"), -1), (("findings",), 3)):
            done = subprocess.run([ANALYZER, "--db", path, *words], capture_output=True, text=True, check=True)
            self.assertIn("fc-7", done.stdout.splitlines()[line], words)
        page = subprocess.run([ANALYZER, "--db", path, "report", "--html", "-"], capture_output=True, text=True,
                              check=True).stdout
        self.assertLess(page.index("fc-7 waits for a CPU"), page.index("most frequent reason"))
        self.assertIn('id="states"', page)

    def test_without_single_exits(self):
        path = self.make(CASES["rtc"][0] + CASES["pause"][0][:2000])
        db = sqlite3.connect(path)
        db.execute("DELETE FROM exit")
        db.execute("UPDATE run SET has_raw = 0")
        db.commit()
        db.close()
        got = self.findings(path)
        self.assertTrue(any("not all single exits were kept" in n for n in got["notes"]))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
