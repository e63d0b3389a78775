#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""names_test.py ANALYZER FIXTURE - VMs are found and shown by their names, also by hostile ones"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

ANALYZER, FIXTURE = sys.argv[1:3]


class NamesTest(unittest.TestCase):
    def setUp(self):
        self.path = os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), "names.sqlite")
        shutil.copyfile(FIXTURE, self.path)
        os.chmod(self.path, 0o644)

    def change(self, *statements):
        db = sqlite3.connect(self.path)
        for sql in statements:
            db.execute(sql)
        db.commit()
        db.close()

    def run_analyzer(self, *words):
        return subprocess.run([ANALYZER, "--db", self.path, *words], capture_output=True, text=True, check=False)

    def vms(self, *words):
        """The VMs of run 1 that the options leave, with their names."""
        done = self.run_analyzer("top-exits", "--run", "1", "--by", "vm", "--sort", "key", "--format", "json", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [(row["vm"], row["vm_name"]) for row in json.loads(done.stdout)["rows"]]

    def test_found_by_everything_they_are_called(self):
        web, fc = (1, "web-1"), (2, "fc-7")
        for words, wanted in ((("--vm", "web-1"), [web]), (("--vm", "web-*"), [web]), (("--vm", "*-?"), [web, fc]),
                              (("--vm", "fc-7,1"), [web, fc]), (("--vm", "2"), [fc]), (("--vm", "4711"), [web]),
                              (("--vm", "c7a5fdbd-edaf-9455-926a-d65c16db1809"), [web]), ((), [web, fc])):
            self.assertEqual(self.vms(*words), wanted, words)
        for word in ("web", "web-1x", "[", "*/*", "9"):
            done = self.run_analyzer("top-exits", "--run", "1", "--vm", word)
            self.assertEqual((done.returncode, done.stdout), (1, ""), word)
            self.assertIn("no such VM", done.stderr)

    def test_same_names_are_told_apart(self):
        self.change("UPDATE vm_identity SET name = 'web'")
        self.assertEqual(self.vms(), [(1, "web #1"), (2, "web #2")])
        self.assertEqual(self.vms("--vm", "web"), [(1, "web #1"), (2, "web #2")])
        self.assertEqual(self.vms("--vm", "web #2"), [(2, "web #2")])

    def test_a_number_may_be_a_name(self):
        self.change("UPDATE vm_identity SET name = '2' WHERE vm = 1")
        self.assertEqual(self.vms("--vm", "2"), [(1, "2"), (2, "fc-7")])

    def test_file_without_names(self):
        for table in ("vm_identity", "vcpu_thread"):
            self.change(f"DROP TABLE {table}")
            self.assertEqual(self.run_analyzer("runs", "--vcpus").returncode, 0)
        self.assertEqual(self.vms(), [(1, None), (2, None)])
        table = self.run_analyzer("top-exits", "--run", "1", "--by", "vm").stdout
        self.assertRegex(table, r"\n +1  ")

    def test_forged_tables_are_refused(self):
        self.change("DROP TABLE vm_identity", "CREATE TABLE vm_identity (vm, name)")
        done = self.run_analyzer("runs")
        self.assertEqual(done.returncode, 1)
        self.assertIn("differ", done.stderr)

    def test_hostile_names_do_nothing(self):
        for name in ("\x1b]0;x\x07\x9b", "a\nb", "=cmd()", "<b>evil", "\u202eevil", "%s%n", "x" * 100000):
            self.change("UPDATE vm_identity SET name = 'ok'")
            db = sqlite3.connect(self.path)
            db.execute("UPDATE vm_identity SET name = ? WHERE vm = 1", (name,))
            db.commit()
            db.close()
            for words in (("top-exits", "--run", "1", "--by", "vm"), ("runs", "--vcpus"), ("slowest", "--run", "1"),
                          ("top-exits", "--run", "1", "--by", "vm", "--format", "csv"), ("report", "--run", "1", "--html", "-")):
                done = self.run_analyzer(*words)
                self.assertEqual(done.returncode, 0, done.stderr)
                # A line end in a page's text is a blank.
                page = words[0] == "report"
                for bad in ("\x1b", "\x07", "\x9b", "\u202e", ",=cmd", "<b>evil" if page else "a\nb"):
                    self.assertFalse(bad in done.stdout, (words, bad))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
