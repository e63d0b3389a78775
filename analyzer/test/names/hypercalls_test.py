#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""hypercalls_test.py ANALYZER FIXTURE RECORDED - a hypercall that may be Hyper-V's never has a name of KVM's

The guest of VM 1 makes hypercalls with 10 in RAX, and so does that of VM 2.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

ANALYZER, FIXTURE, RECORDED = sys.argv[1:4]
KVMS, UNKNOWN = "KVM_HC_SEND_IPI", "Its code (RCX) is not recorded"
VMCALL, WRMSR = 18, 32
COMMANDS = (("list", "--reason", "VMCALL", "--columns", "name,key,meaning"),
            ("top-exits", "--by", "subkey", "--reason", "VMCALL", "--columns", "key,meaning,exits"),
            ("explain", "VMCALL"), ("export", "--format", "folded", "--reason", "VMCALL"),
            ("report", "--html", "-"))


class HypercallsTest(unittest.TestCase):
    def setUp(self):
        self.use(FIXTURE)

    def use(self, database):
        self.path = os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), "hypercalls.sqlite")
        shutil.copyfile(database, self.path)
        os.chmod(self.path, 0o644)
        self.db = sqlite3.connect(self.path)
        self.addCleanup(self.db.close)
        # Of each VM the exits by CPUID are hypercalls.
        self.db.execute("UPDATE run SET isa = 1")
        self.db.execute("UPDATE exit SET reason = ?, key = 10, key_aux = 0 WHERE reason = 10", (VMCALL,))
        for table in ("exit_rollup", "exit_hist"):
            self.db.execute(f"UPDATE {table} SET reason = ? WHERE reason = 10", (VMCALL,))
        self.db.commit()

    def access(self, msr, vm):
        """A write of an MSR by a VM, in the last exit of its vCPU."""
        self.db.execute("UPDATE exit SET reason = ?, key = ?, key_aux = 1 WHERE rowid = (SELECT max(e.rowid)"
                        " FROM exit e JOIN vcpu ON vcpu.id = e.vcpu WHERE vm_id = ? AND e.reason <> ?)",
                        (WRMSR, msr, vm, VMCALL))
        self.assertEqual(self.db.total_changes > 0, True)
        self.db.commit()

    def said(self, *words):
        done = subprocess.run([ANALYZER, "--db", self.path, *words, "--run", "1"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, (words, done.stderr))
        return done.stdout.replace("&#39;", "'")

    def expect(self, command, *options, hyperv):
        said = self.said(*command, *options)
        self.assertIn(UNKNOWN if hyperv else KVMS, said, command)
        self.assertNotIn(KVMS if hyperv else UNKNOWN, said, command)

    def test_a_guest_of_kvm(self):
        for msr in (0x40000000, 0x40000200, 0x4b564d01):
            self.access(msr, 1)
            for command in COMMANDS:
                self.expect(command, hyperv=False)

    def test_a_guest_of_hyperv(self):
        for msr in (0x40000001, 0x40000073, 0x400001ff):
            self.use(FIXTURE)
            for vm in (1, 2):
                self.access(msr, vm)
            for command in COMMANDS:
                self.expect(command, hyperv=True)

    def test_each_vm_by_itself(self):
        self.access(0x40000001, 2)
        for command in COMMANDS:
            self.expect(command, "--vm", "1", hyperv=False)
        self.expect(COMMANDS[1], "--vm", "2", hyperv=True)

    def test_vms_of_both_kinds(self):
        """A row of one VM is named by that VM's interface, a row of several has no name."""
        self.access(0x40000001, 2)
        rows = json.loads(self.said("list", "--reason", "VMCALL", "--limit", "0", "--format", "json"))["rows"]
        self.assertEqual({row["vm"]: row["meaning"] for row in rows}, {1: KVMS, 2: f"Hyper-V's? {UNKNOWN}"})
        for line in self.said("export", "--format", "folded", "--reason", "VMCALL").splitlines():
            self.assertEqual(line.startswith("VM fc-7;"), UNKNOWN in line, line)
        self.expect(COMMANDS[1], hyperv=True)

    def test_ipis(self):
        """A hypercall of Hyper-V's guest with KVM_HC_SEND_IPI's number in RAX sends no IPI."""
        def sent(*words):
            return [row["sent"] for row in json.loads(self.said("ipi", "--format", "json", *words))["ipis"]
                    if row["how"] == KVMS]
        one, both = sum(sent("--vm", "1")), sum(sent())
        self.assertGreater(both, one)
        self.assertGreater(one, 0)
        self.access(0x40000001, 2)
        self.assertEqual((sum(sent()), sent("--vm", "2")), (one, []))

    def test_the_sign_may_be_outside_of_the_window(self):
        self.access(0x40000001, 1)
        for command in COMMANDS:
            self.expect(command, "--vm", "1", "--to", "500ms", hyperv=True)

    def test_in_chunks(self):
        self.use(RECORDED)
        self.access(0x40000001, 1)
        compact = self.path + ".compact"
        subprocess.run([ANALYZER, "compact", self.path, compact], check=True, capture_output=True)
        self.path = compact
        for command in COMMANDS:
            self.expect(command, hyperv=True)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
