#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The places that kvm/test/mutation_test changes are in the sources of every kernel series, once.

It takes no machine, so a change of the ring or of the hooks shows it at once.
"""

import importlib.machinery
import importlib.util
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).resolve().parent


def load(name):
    """A script of this folder as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(HERE / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module  # dataclasses look it up there
    loader.exec_module(module)
    return module


class Places(unittest.TestCase):

    def test_each_is_there_once(self):
        script = load("mutation_test")
        cases = [(series, machine, mutation) for series in script.all_series()
                 for machine in script.VENDORS for mutation in script.MUTATIONS
                 if mutation.edits and machine in mutation.machines]
        self.assertGreater(len(cases), len(script.MUTATIONS))

        for series, machine, mutation in cases:
            with self.subTest(series=series, machine=machine, mutation=mutation.name):
                path, text = script.mutate(mutation, HERE.parent, machine, series)
                self.assertNotEqual(text, path.read_text())
                if path.suffix == ".patch":
                    self.only_added_lines_differ(path.read_text(), text)

    def only_added_lines_differ(self, before, after):
        """Another context, or another number of lines, and patch would refuse the hunk."""
        before, after = before.split("\n"), after.split("\n")
        self.assertEqual(len(before), len(after))
        for old, new in zip(before, after):
            if old != new:
                self.assertEqual((old[:1], new[:1]), ("+", "+"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
