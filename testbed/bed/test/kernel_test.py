#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which package of apt, which is made up here, a kernel's image is taken from."""

import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True

from bed import kernel  # noqa: E402

# Its argument is a package's name; those that are offered are in the environment.
APT_CACHE = """#!/bin/sh
case " $OFFERED " in
*" $2 "*) printf '%s:\n  Installed: (none)\n  Candidate: 6.1.1-1\n' "$2" ;;
*) [ "$2" = unheard ] || printf '%s:\n  Installed: (none)\n  Candidate: (none)\n' "$2" ;;
esac
"""


class Offered(unittest.TestCase):
    def offered(self, package, *offered):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "apt-cache"
            program.write_text(APT_CACHE)
            program.chmod(0o755)
            with mock.patch.dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}",
                                 OFFERED=" ".join(offered)):
                return kernel.offered(package)

    def test_the_signed_image_comes_first(self):
        self.assertEqual(self.offered("image", "image", "image-unsigned"), "image")

    def test_until_it_is_signed_the_other_one_does(self):
        self.assertEqual(self.offered("image", "image-unsigned"), "image-unsigned")

    def test_without_any_the_name_is_the_one_that_was_asked_for(self):
        self.assertEqual(self.offered("image"), "image")
        self.assertEqual(self.offered("unheard"), "unheard")


if __name__ == "__main__":
    unittest.main()
