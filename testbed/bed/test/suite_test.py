#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""With which parameters of kvm.ko the cases of one boot run, in L1's script."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True

from bed import suite  # noqa: E402
from bed.case import Case  # noqa: E402


def loads(*params):
    """What L1's script loads KVM with before each case that has a load before it: {case: text}."""
    cases = [Case(f"case {number}", "true", None, of_case) for number, of_case in enumerate(params)]
    script = suite.l1_script(cases, 1)
    return {int(number): text for text, number in
            re.findall(r"BED_KVM_PARAMS='(.*?)'.*\n(?:run_case (\d+) )", script)}


class Parameters(unittest.TestCase):
    def test_a_case_without_any_has_the_default_ones(self):
        self.assertEqual(loads(None, {"leaf_time": "handler"}, None, None),
                         {1: "leaf_time=handler", 2: ""})

    def test_nothing_is_loaded_where_nothing_changes(self):
        self.assertEqual(loads(None, {}, None), {1: ""})

    def test_each_case_has_its_own(self):
        self.assertEqual(loads({"ring_records": "32", "on_full": "wait"}, {"ring_records": "32"}),
                         {0: "ring_records=32 on_full=wait", 1: "ring_records=32"})


if __name__ == "__main__":
    unittest.main()
