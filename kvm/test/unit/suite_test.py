#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""suite_test.py SUITE SERIES - what kvm/host/suite refuses, and how it finds a kernel

apt is made up: its lists have two kernels of one series, and it downloads nothing.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SUITE, SERIES = (pathlib.Path(word).resolve() for word in sys.argv[1:3])

APT_GET = """#!/bin/sh
case $* in
*indextargets*) . /etc/os-release && echo "Packages Debian $VERSION_CODENAME http://mirror.invalid" ;;
esac
"""

# The newest by its name alone, 5.10.0-12, has no source: its version is another.
APT_CACHE = """#!/bin/sh
case $* in
*policy*) echo "  Candidate: 5.10.9-1" ;;
*search*) printf 'linux-headers-5.10.0-%s-cloud-amd64 - text\\n' 9 10 12 ;;
*show*-9-*) printf 'Package: %s\nVersion: 5.10.9-1\n' linux-headers-5.10.0-9-cloud-amd64 ;;
*show*-10-*) printf 'Package: %s\nVersion: 5.10.9-1\n' linux-headers-5.10.0-10-cloud-amd64 ;;
*show*-12-*) printf 'Package: %s\nVersion: 5.10.12-1\n' linux-headers-5.10.0-12-cloud-amd64 ;;
*show*linux-headers-5.10) echo "Package: linux-headers-5.10.0-9-cloud-amd64" ;; # as a pattern
*) exit 100 ;;
esac
"""


class Suite(unittest.TestCase):
    """Each test has a project's kvm/ and a made-up apt in the PATH."""

    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.top)
        (self.top / "kvm/host").mkdir(parents=True)
        (self.top / "bin").mkdir()
        shutil.copy(SERIES, self.top / "kvm/series")
        for name in ("suite", "series.sh", "usage.sh"):
            shutil.copy(SUITE.parent / name, self.top / "kvm/host" / name)
        for name, text in ("apt-get", APT_GET), ("apt-cache", APT_CACHE):
            (self.top / "bin" / name).write_text(text)
            (self.top / "bin" / name).chmod(0o755)

    def suite(self, *words):
        return subprocess.run([self.top / "kvm/host/suite", *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, cwd=self.top, check=False,
                              env={**os.environ, "PATH": f"{self.top}/bin:{os.environ['PATH']}"})

    def refused(self, *words):
        """The last line that it says; before it, only that it reads the lists."""
        done = self.suite(*words)
        self.assertEqual((done.returncode, done.stdout), (1, ""), words)
        *before, last = done.stderr.splitlines()
        self.assertLessEqual(set(before), {"kvm/host/suite: reading the package lists of Debian "
                                           "bullseye, 10 MB"})
        self.assertTrue(last.startswith("kvm/host/suite: "), last)
        return last.removeprefix("kvm/host/suite: ")

    def test_words(self):
        needs = {"kernel": "needs a SERIES", "root": "needs a KVER",
                 "download": "needs a KVER and a DIRECTORY", "run": "needs a KVER and a COMMAND",
                 "programs": "needs a SUITE and a PACKAGE"}
        for command, why in needs.items():
            self.assertEqual(self.refused(command), f"{command}: {why} (kvm/host/suite --help)")
        for command in "download", "run":
            self.assertEqual(self.refused(command, "5.10.0-10-cloud-amd64"),
                             f"{command}: {needs[command]} (kvm/host/suite --help)")
        for words in (["kernel", "5.10", "more"], ["root", "5.10.0-10-cloud-amd64", "more"],
                      ["download", "5.10.0-10-cloud-amd64", ".", "more"]):
            self.assertEqual(self.refused(*words), "more: unexpected word (kvm/host/suite --help)")
        self.assertEqual(self.refused("more"), "more: unexpected word (kvm/host/suite --help)")
        self.assertEqual(self.refused(),
                         "kernel, download, root, run or programs, and of which kernel or suite? "
                         "(kvm/host/suite --help)")
        self.assertEqual(self.refused("--more"), "--more: unknown option (kvm/host/suite --help)")

    def test_no_release_of_a_kernel(self):
        for word in "some", "", "5", "-5.10":
            self.assertRegex(self.refused("root", word), f"^root {word}: not a kernel release, such as ")
        self.assertRegex(self.refused("root", "4.1.0-1"), r"^Linux 4\.1: not in kvm/series \(it has ")
        self.assertRegex(self.refused("kernel", "some"), r"^Linux some: not in kvm/series \(it has ")

    def test_no_suite(self):
        for word in "", "../sid", "6.1", "sid main":
            self.assertRegex(self.refused("programs", word, "cbmc"),
                             "^programs .*: not a suite of Debian, such as [a-z]+ ")

    def test_no_package(self):
        for word in "", "--more", "-o", "cbmc-", "cbmc*", "cbmc/sid", "Cbmc":
            self.assertEqual(self.refused("programs", "sid", "spin", word),
                             f"programs {word}: not the name of a package (kvm/host/suite --help)")

    def test_a_kernel_that_the_suite_has_not(self):
        """Nor is a series one, although it is a pattern that fits several."""
        for kver in "5.10.0-none", "5.10":
            for words in ["root", kver], ["run", kver, "true"], ["download", kver, "to"]:
                self.assertEqual(self.refused(*words),
                                 f"Debian bullseye has no kernel {kver} "
                                 "(kvm/host/suite kernel 5.10 prints one that it has)")
        self.assertFalse((self.top / "to").exists())

    def test_folder_that_can_not_be_made(self):
        (self.top / "file").touch()
        self.assertEqual(self.refused("--cache", "file", "kernel", "5.10"),
                         f"{self.top}/file/bullseye: can't be made: Not a directory")
        self.assertEqual(self.refused("download", "5.10.0-10-cloud-amd64", "file/to"),
                         f"{self.top}/file/to: can't be made: Not a directory")

    def test_image_that_is_not_signed_yet(self):
        """Until Debian has signed it, the same is there without signatures."""
        image = "linux-image-5.10.0-10-cloud-amd64"
        for unsigned, package in ("5.10.9-1", f"{image}-unsigned"), ("(none)", image):
            (self.top / "bin/apt-cache").write_text(APT_CACHE.replace("case $* in\n", f"""case $* in
*policy*-unsigned*) echo "  Candidate: {unsigned}" ;;
*policy*{image}*) echo "  Candidate: (none)" ;;
"""))
            (self.top / "bin/apt-get").write_text(APT_GET + f"""case $* in
*download*) echo "$*" >{self.top}/downloaded ;;
esac
""")
            done = self.suite("download", "5.10.0-10-cloud-amd64", "to")
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            self.assertTrue((self.top / "downloaded").read_text().endswith(f" {package}\n"))

    def test_newest_kernel_that_has_its_source(self):
        done = self.suite("kernel", "5.10")
        self.assertEqual((done.returncode, done.stdout), (0, "5.10.0-10-cloud-amd64\n"), done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
