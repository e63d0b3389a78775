#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""guest_test.py ANALYZER RECORDED - processes (--cr3-names) and regions (--memory-map) of a guest

RECORDED is a boot without CR3; the test gives its exits three page tables, with and without PCID.
"""
import collections
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import unittest

ANALYZER, RECORDED = map(os.path.abspath, sys.argv[1:3])
FOLDER = os.environ.get("TEST_TMPDIR", "/tmp")

NAMES = "# pid 1\n0x1000000 init\n\n  1001001\tnginx: worker \n1001000 nginx: worker\n"
IOMEM = """\
00000000-00000fff : Reserved
00001000-0009fbff : System RAM
00100000-0fffffff : System RAM
  01000000-01a00eb0 : Kernel code
  01a00eb1-0227ffff : Kernel data
"""
MTREE = """\
FlatView #0
 AS "I/O", root: io
 Root memory region: io
  0000000000000000-0000000000ffffff (prio 0, i/o): dma-chan

FlatView #1
 AS "cpu-memory-0", root: system
 AS "memory", root: system
 Root memory region: system
  0000000000000000-000000000009ffff (prio 0, ram): pc.ram KVM
  0000000000100000-000000000fffffff (prio 0, ram): pc.ram @0000000000100000 KVM

FlatView #2
 AS "cpu-smm-0", root: memory
  0000000000000000-000000000fffffff (prio 0, ram): smm
"""
RANGES = "0x0-0xfffff low memory\n0x100000-0xfffffff the rest\n"


def innermost(address):
    """The name in IOMEM, without the code under test."""
    name = None
    for line in IOMEM.splitlines():
        ends, text = line.strip().split(" : ")
        first, last = (int(end, 16) for end in ends.split("-"))
        if first <= address <= last:
            name = text
    return name


class GuestTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = os.path.join(FOLDER, "guest.sqlite")
        shutil.copyfile(RECORDED, cls.path)
        os.chmod(cls.path, 0o600)
        cls.db = sqlite3.connect(cls.path)
        cls.db.execute("UPDATE exit SET flags = flags | 0x1000, cr3 = 0x1000000 + seq / 1000 % 3 * 0x1000 + seq % 2"
                       " + (seq % 5 = 0) * (1 << 62) * -2 WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = 1)")
        cls.db.commit()

    @classmethod
    def tearDownClass(cls):
        cls.db.close()

    def file(self, text, name="input"):
        path = os.path.join(FOLDER, name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def analyzer(self, *words):
        done = subprocess.run([ANALYZER, "--db", self.path, *words, "--run", "1"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def rows(self, *words):
        return json.loads(self.analyzer(*words, "--format", "json", *([] if "--limit" in words else ["--limit", "0"])))["rows"]

    def refused(self, *words, run="1"):
        done = subprocess.run([ANALYZER, "--db", self.path, *words, "--run", run], capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""), words)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def test_processes(self):
        names = self.file(NAMES)
        wanted = self.db.execute("SELECT seq / 1000 % 3, count(*), sum(cycles) FROM exits WHERE run = 1"
                                 " GROUP BY 1").fetchall()
        wanted = {f"{0x1000000 + n * 0x1000:016x}": (count, cycles) for n, count, cycles in wanted}
        called = {"0000000001000000": "init", "0000000001001000": "nginx: worker", "0000000001002000": None}
        for command in ("top-exits", "latency"):
            rows = self.rows(command, "--by", "cr3", "--cr3-names", names)
            self.assertEqual({row["cr3"]: row["exits"] for row in rows}, {k: v[0] for k, v in wanted.items()})
            self.assertEqual({row["cr3"]: row["process"] for row in rows}, called)

        rows = json.loads(self.analyzer("list", "--cr3-names", names, "--format", "json"))["rows"]
        self.assertEqual({row["process"] for row in rows}, {"init"})

        sums = collections.Counter()
        for line in self.analyzer("export", "--format", "folded", "--cr3-names", names).splitlines():
            sums[line.split(";")[1]] += int(line.rsplit(" ", 1)[1])
        khz, = self.db.execute("SELECT tsc_khz FROM run WHERE id = 1").fetchone()
        self.assertEqual(set(sums), {"init", "nginx: worker", "CR3 0000000001002000"})
        for table, name in called.items():
            self.assertAlmostEqual(sums[name or f"CR3 {table}"], wanted[table][1] * 1e6 / khz, delta=30000)

    def test_regions(self):
        iomem = self.file(IOMEM)
        faults = self.db.execute("SELECT key, count(*) FROM exits WHERE run = 1 AND basic_reason = 48 GROUP BY 1")
        wanted = collections.Counter()
        for address, count in faults:
            wanted[innermost(address)] += count
        for command in ("top-exits", "latency"):
            got = collections.Counter()
            for row in self.rows(command, "--by", "region", "--memory-map", iomem):
                if row["name"] == "EPT_VIOLATION":
                    got[row["meaning"]] += row["exits"]
                else:
                    self.assertEqual((row["region"], row["meaning"]), (None, None))
            self.assertEqual(got, wanted)
        self.assertEqual({r["meaning"] for r in self.rows("list", "--memory-map", iomem, "--reason", "48")}, set(wanted))

        for text, names in ((MTREE, {"pc.ram", None}), (RANGES, {"low memory", "the rest"})):
            rows = self.rows("list", "--reason", "48", "--memory-map", self.file(text))
            self.assertEqual({row["meaning"] for row in rows}, names)
        rows = self.rows("top-exits", "--by", "subkey", "--reason", "48", "--limit", "20", "--memory-map", self.file(RANGES))
        self.assertLessEqual({row["meaning"] for row in rows}, {"low memory", "the rest"})

    def test_regions_without_a_map(self):
        rows = [r for r in self.rows("top-exits", "--by", "region") if r["name"] == "EPT_VIOLATION"]
        wanted = self.db.execute("SELECT count(DISTINCT key >> 21) FROM exits WHERE run = 1 AND basic_reason = 48").fetchone()
        self.assertEqual(len(rows), *wanted)
        self.db.execute("UPDATE exit SET key = 0xfee00300 WHERE rowid = (SELECT min(rowid) FROM exit WHERE reason = 48)")
        self.db.commit()
        rows = self.rows("top-exits", "--by", "region")
        self.assertIn(("0xfee00000-0xfee00fff", "local APIC"), {(r["region"], r["meaning"]) for r in rows})
        self.db.execute("UPDATE exit SET key = 0x100000 WHERE key = 0xfee00300")
        self.db.commit()

    def test_folded_against(self):
        def fold(*words):
            stacks = {}
            for line in self.analyzer("export", "--format", "folded", *words).splitlines():
                stack, *ns = line.rsplit(" ", 2 if "--against" in words else 1)
                stacks[stack] = [int(n) for n in ns]
            return stacks

        def without_ids(stacks):
            sums = collections.Counter()
            for stack, (ns,) in stacks.items():
                sums[";".join(f for f in stack.split(";") if not re.fullmatch(r"VM .*|CR3 [0-9a-f]{16}", f))] += ns
            return sums

        this = without_ids(fold())
        other = subprocess.run([ANALYZER, "--db", self.path, "export", "--format", "folded", "--run", "shadow"],
                               capture_output=True, text=True, check=True).stdout
        other = without_ids({line.rsplit(" ", 1)[0]: [int(line.rsplit(" ", 1)[1])] for line in other.splitlines()})
        both = fold("--against", "shadow")
        self.assertEqual(set(both), set(this) | set(other))
        for stack, (before, after) in both.items():
            self.assertAlmostEqual(before, other[stack], delta=50, msg=stack)
            self.assertAlmostEqual(after, this[stack], delta=50, msg=stack)
        for before, after in fold("--against", self.path + ":1").values():
            self.assertEqual(before, after)
        self.assertEqual(list(both), sorted(both))

    def test_folded_functions(self):
        symbols = self.file("ffffffff81000000 T first\nffffffff81000100 T second\n", "System.map")
        out = self.analyzer("export", "--format", "folded", "--symbols", symbols, "--slide", "0")
        frames = {line.split(";")[2] for line in out.splitlines()}
        self.assertLessEqual(frames, {"first", "second", "(upper half, no symbol)", "(lower half, no symbol)"})
        self.assertIn("second", frames)

    def test_refused(self):
        by = ["top-exits", "--by", "cr3", "--cr3-names"]
        self.assertIn("line 2 is not \"CR3 NAME\"", self.refused(*by, self.file("1000 a\nnobody\n")))
        self.assertIn("line 1 is not \"CR3 NAME\"", self.refused(*by, self.file("1000\n")))
        self.assertIn("line 1 is not \"CR3 NAME\"", self.refused(*by, self.file("11112222333344445 a\n")))
        self.assertIn("two names for CR3 0x1000", self.refused(*by, self.file("1000 a\n1001 b\n")))
        self.assertIn("no process in it", self.refused(*by, self.file("# nothing\n")))
        self.assertIn("Is a directory", self.refused(*by, FOLDER))
        self.assertIn("No such file", self.refused(*by, os.path.join(FOLDER, "missing")))
        self.assertIn("CR3 was not recorded", self.refused("latency", "--by", "cr3", run="shadow"))

        by = ["top-exits", "--by", "region", "--memory-map"]
        for text in ("0-fff\n", "zz-1 a\n", "5-4 a\n", "0-fff (prio 0, ram) a\n", "0-fff:\n", "0 - fff a\n", "0-fff a\nx\n"):
            self.assertIn("is not \"START-END NAME\"", self.refused(*by, self.file(text)), text)
        self.assertIn("no region of memory", self.refused(*by, self.file(MTREE.replace('"memory"', '"other"'))))
        self.assertIn("read it as root", self.refused(*by, self.file("00000000-00000000 : System RAM\n")))
        self.assertIn("more than 16384 regions", self.refused(*by, self.file("0-1 a\n" * 16385)))
        self.assertIn("larger than 16 MiB", self.refused(*by, "/dev/zero"))
        for option in ("--against", "--cr3-names", "--memory-map", "--symbols"):
            self.assertIn("only with --format folded", self.refused("export", "--format", "csv", option, "shadow"))
        self.assertIn("no run 99", self.refused("export", "--format", "folded", "--against", "99"))

    def test_any_file(self):
        """Changed bytes and overlapping ranges: an answer or one line."""
        random.seed(1)
        for text in (NAMES, IOMEM, MTREE, RANGES):
            option = "--cr3-names" if text is NAMES else "--memory-map"
            for _ in range(12):
                data = bytearray(text.encode())
                for _ in range(random.randrange(1, 6)):
                    data[random.randrange(len(data))] = random.randrange(256)
                done = subprocess.run([ANALYZER, "--db", self.path, "list", "--to", "230ms", "--run", "1", option,
                                       self.file(bytes(data))], capture_output=True, check=False)
                self.assertIn(done.returncode, (0, 1), data)
                self.assertLessEqual(done.stderr.count(b"\n"), 1)
        ranges = "".join(f"{n:x}-{0xfffffff - n:x} r{n}\n" for n in range(16000)) + "0-ffffffffffffffff all\n"
        rows = self.rows("top-exits", "--by", "region", "--memory-map", self.file(ranges))
        self.assertTrue(all(row["meaning"] for row in rows if row["name"] == "EPT_VIOLATION"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
