#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""smp_test.py ANALYZER SMP - a real recording of two vCPUs: each by itself, and both together

Linux booted on QEMU with -smp 2; testdata/README.md has the counts that others took.
"""
import json
import sqlite3
import subprocess
import sys
import unittest

ANALYZER, DATABASE = sys.argv[1:3]
EXITS = {0: 51653, 1: 4171}
KICKS = 76


def analyzer(*words):
    done = subprocess.run([ANALYZER, "--db", DATABASE, *words, "--format", "json"], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    return json.loads(done.stdout)


class SmpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.db = sqlite3.connect(f"file:{DATABASE}?immutable=1", uri=True)  # may be read-only

    def count(self, condition, *values):
        return self.db.execute(f"SELECT count(*) FROM exits WHERE {condition}", values).fetchone()[0]

    def test_the_recording_is_the_one_that_was_counted(self):
        for vcpu, exits in EXITS.items():
            self.assertEqual(self.count("vcpu_id = ?", vcpu), exits)

        # The guest read the leaf of all exits twice: those of both vCPUs until then.
        read = [self.count("tsc <= ?", tsc) for tsc, in self.db.execute(
            "SELECT tsc FROM exits WHERE key = 0x4fffffff AND reason_name = 'CPUID' ORDER BY tsc")]
        self.assertEqual(read, [0xd6ad, 0xd92a])

    def test_states_of_each_vcpu(self):
        by_vcpu = analyzer("states", "--by", "vcpu", "--cycles")["rows"]
        whole, = analyzer("states", "--by", "vm", "--cycles")["rows"]
        self.assertEqual([(r["vm_name"], r["vcpu"]) for r in by_vcpu], [("web-1", 0), ("web-1", 1)])
        self.assertEqual(whole["vcpus"], 2)
        self.assertAlmostEqual(whole["wall_cycles"], sum(r["wall_cycles"] for r in by_vcpu), delta=2)
        for part in ("guest", "handler", "userspace", "polled", "halted", "waiting"):
            cycles = sum(r[part] * r["wall_cycles"] for r in by_vcpu)
            self.assertAlmostEqual(whole[part] * whole["wall_cycles"], cycles, delta=100, msg=part)

        # The first one boots Linux, the second one waits for it.
        self.assertGreater(by_vcpu[0]["guest"], 3 * by_vcpu[1]["guest"])
        self.assertGreater(by_vcpu[1]["halted"], 5 * by_vcpu[0]["halted"])

    def test_a_vcpu_alone_is_its_row(self):
        for row in analyzer("states", "--by", "vcpu")["rows"]:
            alone, = analyzer("states", "--by", "vcpu", "--vcpu", str(row["vcpu"]))["rows"]
            self.assertEqual(alone, row)

    def test_list_is_in_order_of_time_over_both(self):
        rows = analyzer("list", "--limit", "0", "--cycles")["rows"]
        wanted = self.db.execute("SELECT time_ns, vcpu_id, seq, cycles FROM exits ORDER BY tsc, id").fetchall()
        self.assertEqual([(round(float(r["seconds"]) * 1e9), r["vcpu"], r["seq"], r["time_cycles"]) for r in rows], wanted)
        self.assertEqual({r["vm_name"] for r in rows}, {"web-1"})

        # They take turns, and each one's exits follow each other.
        turns = sum(a["vcpu"] != b["vcpu"] for a, b in zip(rows, rows[1:]))
        self.assertGreater(turns, 2000)
        for vcpu, exits in EXITS.items():
            self.assertEqual([r["seq"] for r in rows if r["vcpu"] == vcpu], list(range(exits)))

    def test_list_of_one(self):
        for vcpu, exits in EXITS.items():
            rows = analyzer("list", "--limit", "0", "--vcpu", str(vcpu), "--vm", "web-*")["rows"]
            self.assertEqual([r["seq"] for r in rows], list(range(exits)))
        rows = analyzer("list", "--vcpu", "1", "--from", "6s", "--to", "7s", "--limit", "0")["rows"]
        self.assertEqual(len(rows), self.count("vcpu_id = 1 AND time_ns >= 6000000000 AND time_ns < 7000000000"))
        self.assertGreater(len(rows), 100)

    def test_hypercalls_of_kvm(self):
        row, = analyzer("top-exits", "--by", "subkey", "--reason", "VMCALL")["rows"]
        self.assertEqual((row["exits"], row["meaning"]), (KICKS, "KVM_HC_KICK_CPU"))

    def test_ipis(self):
        """Each IPI that the guest wrote into the ICR, by its vector; INIT and SIPI are none."""
        sent = {row["vector"]: (row["sent"], row["receivers"]) for row in analyzer("ipi")["ipis"]}
        written = {f"{vector:#x}": (count, count) for vector, count in self.db.execute(
            "SELECT value & 0xff, count(*) FROM exit WHERE key = 0x830 AND value >> 8 & 7 = 0 GROUP BY 1")}
        self.assertEqual(sent, written)
        self.assertEqual(sum(count for count, _ in sent.values()), 1048)

    def test_tables_without_rows_are_left_out(self):
        """verify has nothing to list after its sums."""
        said = subprocess.run([ANALYZER, "--db", DATABASE, "verify"], capture_output=True, text=True, check=True).stdout
        self.assertEqual([line.split()[0] for line in said.splitlines() if " VCPU " in line or "EQUATION" in line],
                         ["EQUATION"])

    def test_findings_name_what_there_is(self):
        """The RTC, and nothing else: PAUSE loops are 4.4 % of the exits, IPIs 1.9 %."""
        found = analyzer("findings")["findings"]
        self.assertEqual([f["rule"] for f in found], ["rtc"])
        self.assertIn("40,005 of 55,824 exits (71.7 %)", found[0]["evidence"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
