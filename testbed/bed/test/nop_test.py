#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What testbed/bed/nop.py says of two recordings of the same exits."""

import pathlib
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True

from bed import BedError, nop  # noqa: E402

CONTENT = """
CREATE TABLE exit (vcpu INTEGER, seq INTEGER, tsc INTEGER, reason INTEGER, cycles INTEGER,
                   halted_cycles INTEGER, userspace_cycles INTEGER, preempted_cycles INTEGER,
                   rip INTEGER);
CREATE VIEW exits AS
  SELECT *, CASE reason WHEN 10 THEN 'CPUID' ELSE 'HLT' END AS reason_name FROM exit;
INSERT INTO exit VALUES (1, 0, 100, 10, 50, 0, 0, 0, 7), (1, 1, 200, 12, 90, 40, 0, 0, 8),
                        (1, 2, 300, 10, 50, 0, 0, 0, 9);
"""
COMPARED = """\
reason,name,exits_a,exits_b,handler_a_cycles,handler_b_cycles,a_run
114,CPUID,300,300,2775.35,2776.35,1
120,HLT,300,300,3450.486667,3450.486667,1
"""
HANDLER = """\
int kvm_emulate_cpuid(struct kvm_vcpu *vcpu)
{
	u32 eax, ebx, ecx, edx;

	if (cpuid_fault_enabled(vcpu))
		return 1;
}
"""


class Nop(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def differences(self, change):
        paths = []
        for name, text in (("one", CONTENT), ("other", CONTENT + change)):
            paths.append(self.folder / name)
            db = sqlite3.connect(paths[-1])
            db.executescript(text)
            db.close()
        return nop.differences(*paths)

    def test_times_are_compared(self):
        found = self.differences("UPDATE exit SET cycles = cycles + 1, tsc = tsc + seq "
                                 "WHERE reason = 10;")
        self.assertEqual(found, {"CPUID": {1: 2}, "HLT": {0: 1}})

    def test_other_parts_are_not_the_handlers(self):
        found = self.differences("UPDATE exit SET halted_cycles = 39, cycles = 89 "
                                 "WHERE reason = 12;")
        self.assertEqual(found, {"CPUID": {0: 2}, "HLT": {0: 1}})

    def test_another_exit_is_refused(self):
        with self.assertRaisesRegex(BedError, "exit 1 of vCPU 1 differs: reason, rip"):
            self.differences("UPDATE exit SET reason = 10, rip = 9 WHERE seq = 1;")

    def test_more_exits_are_refused(self):
        with self.assertRaisesRegex(BedError, "3 exits without the NOP, 2 with it"):
            self.differences("DELETE FROM exit WHERE seq = 0;")

    def test_compare_has_means(self):
        self.assertEqual(nop.compared(COMPARED), {"CPUID": 1, "HLT": 0})

    def test_compare_of_unlike_recordings_is_refused(self):
        with self.assertRaisesRegex(BedError, "300 exits of CPUID without the NOP, 301 with it"):
            nop.compared(COMPARED.replace("CPUID,300,300", "CPUID,300,301"))

    def test_nop_is_after_the_declarations(self):
        path = self.folder / "cpuid.c"
        path.write_text(HANDLER)
        nop.add_nop(path)
        self.assertIn('edx;\n\n\tasm volatile("nop");\n\n\tif (', path.read_text())

    def test_unknown_source_is_refused(self):
        path = self.folder / "cpuid.c"
        path.write_text(HANDLER.replace("kvm_emulate_cpuid", "another"))
        with self.assertRaisesRegex(BedError, "0 places"):
            nop.add_nop(path)


if __name__ == "__main__":
    unittest.main()
