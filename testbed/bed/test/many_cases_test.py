#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What an exit may cost in a VM of more vCPUs, and in which machines it is seen."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True

from bed import many_cases  # noqa: E402
from bed.case import Setup  # noqa: E402
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


if __name__ == "__main__":
    unittest.main()
