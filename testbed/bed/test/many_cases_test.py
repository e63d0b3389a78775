#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What an exit may cost in a VM of more vCPUs, in which machines it is seen, and how much memory many
VMs may take."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True

from bed import many_cases  # noqa: E402
from bed.case import Outcome, Setup  # noqa: E402
from bed.checks import Wrong  # noqa: E402
from bed.kernel import all_series  # noqa: E402


class Flat(unittest.TestCase):
    def test_a_few_instructions_are_allowed(self):
        many_cases.is_flat({1: 1105, 16: 1104, 128: 1104, 1024: 1114})

    def test_one_more_for_each_hundred_vcpus_is_found(self):
        with self.assertRaisesRegex(Wrong, "1104 of 1, 1115 of 1024"):
            many_cases.is_flat({1: 1104, 1024: 1115})

    def test_it_is_seen_where_cycles_are_instructions_once(self):
        setups = [Setup("bochs", kernel) for kernel in all_series()]
        names = [case.name for setup in setups for case in many_cases.full(setup)]
        self.assertEqual(names, ["many: VMs of 1 to 1024 vCPUs"])


class Memory(unittest.TestCase):
    BOUNDS = {"kernel_mib": 32, "collector_mib": 32}

    def measured(self, peak_kib=49152, end_kib=20480, collector_kib=32768):
        """As if L1's kernel had 16 MiB before."""
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder, "log")
            log.write_text(f"time: 7.00 to 9.50\nmemory: kernel 16384 to {peak_kib} KiB, at the end "
                           f"{end_kib}, collector {collector_kib} KiB\n", encoding="ascii")
            outcome = Outcome(log.parent, None)
            many_cases.in_memory(outcome, **self.BOUNDS)
        return outcome.seen

    def test_the_bounds_are_allowed(self):
        self.assertEqual(self.measured()[1], "2 s of L1's time")

    def test_more_is_found(self):
        for more, words in (({"peak_kib": 49153 + 1024}, "took 33 MiB"), ({"end_kib": 21504}, "keeps 5 MiB"),
                            ({"collector_kib": 33793}, "the collector took 33 MiB")):
            with self.assertRaisesRegex(Wrong, words):
                self.measured(**more)

    def test_free_pages_in_the_lists_of_the_cpus_are_free(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "meminfo").write_text(
                "MemTotal: 1000 kB\nMemFree: 500 kB\nBuffers: 1 kB\nCached: 2 kB\nAnonPages: 3 kB\n"
                "SReclaimable: 4 kB\n", encoding="ascii")
            pathlib.Path(folder, "zoneinfo").write_text(
                "Node 0, zone DMA\n  pages free 3840\n    cpu: 0\n              count: 10\n"
                "    cpu: 1\n              count: 5\n", encoding="ascii")
            script = many_cases.KERNEL_KIB.replace("/proc/", f"{folder}/") + "kernel_kib"
            done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, f"{1000 - 500 - 1 - 2 - 3 - 4 - 4 * (10 + 5)}\n")


if __name__ == "__main__":
    unittest.main()
