#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""build_test.py BUILD SOURCE_TREE_SH SERIES - kvm/build on source trees and headers of any kernel

The trees are made up: a few lines, with hook patches of their own; make copies x86.c instead of
compiling it, so that a module shows which hooks are in it.
"""

import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE_TREE, SERIES = (pathlib.Path(word).resolve() for word in sys.argv[1:4])

X86_C = [f"line {number}" for number in range(1, 31)]

# The hook of each series goes after another line, so that a tree can refuse one and take another.
HOOK_AFTER = {"6.1": 10, "6.12": 20}

MAKEFILE = """
kernelversion:
	@echo {version}
modules:
	for m in kvm kvm-intel kvm-amd; do cp $(M)/x86.c $(M)/$$m.ko 2>/dev/null; done; \\
	touch $(M)/vmx_caps.ko
"""


def patch(series, lines):
    """Two lines of context on each side of the hook."""
    after = HOOK_AFTER[series]
    around = lines[after - 2:after + 2]
    return "".join([
        "--- a/arch/x86/kvm/x86.c\n+++ b/arch/x86/kvm/x86.c\n",
        f"@@ -{after - 1},4 +{after - 1},5 @@\n",
        f" {around[0]}\n {around[1]}\n+hook of {series}\n {around[2]}\n {around[3]}\n"])


class Build(unittest.TestCase):
    """One folder for each test: the project's kvm/, a tree and headers."""

    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.top)
        self.kvm = self.top / "project/kvm"
        for folder in ("host", "patches", "ring", "uapi", "caps"):
            (self.kvm / folder).mkdir(parents=True)
        shutil.copy(BUILD, self.kvm / "build")
        shutil.copy(SERIES, self.kvm / "series")
        for name in ("btf.sh", "series.sh", "source_tree.sh", "usage.sh"):
            shutil.copy(SOURCE_TREE.parent / name, self.kvm / "host" / name)
        for name in ("ring/exit_ring.c", "ring/exit_ring.h", "uapi/kvm_exit_ring.h", "caps/Kbuild",
                     "caps/vmx_caps.c", "caps/vmx_caps_table.h"):
            (self.kvm / name).write_text("/* ours */\n")
        for series in HOOK_AFTER:
            (self.kvm / f"patches/{series}.patch").write_text(patch(series, X86_C))
        self.tree = self.make_tree("tree", "6.6.3", X86_C)
        self.headers = self.make_headers("headers", "6.6.3", "6.6.3-some")

    def make_tree(self, name, version, lines, extra=""):
        tree = self.top / name
        (tree / "arch/x86/kvm").mkdir(parents=True)
        (tree / "virt/kvm").mkdir(parents=True)
        major, minor, patchlevel = version.split(".")
        (tree / "Makefile").write_text(f"# a comment\nVERSION = {major}\nPATCHLEVEL = {minor}\n"
                                       f"SUBLEVEL = {patchlevel}\nEXTRAVERSION ={extra}\n")
        (tree / "arch/x86/kvm/Makefile").write_text("ccflags-y += -I $(srctree)/arch/x86/kvm\n")
        (tree / "arch/x86/kvm/x86.c").write_text("\n".join(lines) + "\n")
        (tree / "virt/kvm/kvm_main.c").write_text("main\n")
        return tree

    def make_headers(self, name, version, release, config="KVM=m KVM_INTEL=m KVM_AMD=m"):
        folder = self.top / name
        (folder / "include/generated").mkdir(parents=True)
        (folder / "include/config").mkdir()
        (folder / "Makefile").write_text(MAKEFILE.format(version=version))
        (folder / "Module.symvers").touch()
        (folder / "include/generated/utsrelease.h").write_text(f'#define UTS_RELEASE "{release}"\n')
        (folder / "include/config/auto.conf").write_text(
            "".join(f"CONFIG_{line}\n" for line in config.split()))
        return folder

    def build(self, *words):
        path = f"{self.top}/bin:{os.environ['PATH']}"
        return subprocess.run([self.kvm / "build", *map(str, words)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, cwd=self.top, check=False,
                              env={**os.environ, "PATH": path})

    def refused(self, *words):
        """What it says: one line, after which nothing was built."""
        done = self.build(*words)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\Akvm/build: [^\n]+\n\Z")
        return done.stderr

    def built(self, *words):
        """The folder of the modules, and what was said."""
        done = self.build(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return pathlib.Path(done.stdout.strip()), done.stderr

    def nearest(self, version):
        done = subprocess.run(["sh", "-c", '. "$1/host/source_tree.sh"; here=$1; nearest_series "$2"',
                               "sh", self.kvm, version], capture_output=True, text=True, check=True)
        return done.stdout.split()


class Options(Build):
    """What is refused, and how."""

    def test_headers_name_their_kernel(self):
        self.assertIn("--headers: not with --kernel",
                      self.refused("--kernel", "6.6.3", "--headers", self.headers))

    def test_wrong_trees(self):
        tarball = self.top / "linux.tar.xz"
        tarball.touch()
        empty = self.top / "empty"
        empty.mkdir()
        for tree, why in ((self.top / "none", "no such folder"),
                          (tarball, "not a folder (unpack it first: tar -xf"),
                          (empty, "not a kernel source tree: Makefile is missing"),
                          (self.headers, "not a kernel source tree: arch/x86/kvm/Makefile is missing")):
            self.assertIn(f"--source {tree}: {why}",
                          self.refused("--source", tree, "--headers", self.headers))

    def test_tree_with_hooks(self):
        (self.tree / "arch/x86/kvm/exit_ring.h").touch()
        self.assertIn("it has the hooks already",
                      self.refused("--source", self.tree, "--headers", self.headers))

    def test_wrong_headers(self):
        words = ["--source", self.tree, "--headers"]
        self.assertIn("no such folder", self.refused(*words, self.top / "none"))
        self.assertIn("not a kernel's headers: Makefile is missing",
                      self.refused(*words, self.tree / "virt"))
        self.assertIn("this kernel was not built", self.refused(*words, self.tree))
        (self.headers / "Module.symvers").unlink()
        self.assertIn("Module.symvers is missing", self.refused(*words, self.headers))

    def test_no_headers_of_the_kernel(self):
        self.assertIn("the headers of 6.6.3-none are missing",
                      self.refused("--source", self.tree, "--kernel", "6.6.3-none"))

    def test_kernel_without_patch(self):
        self.assertRegex(self.refused("--kernel", "6.6.3-none"),
                         r"Linux 6\.6: no hook patch \(.*--source TREE")

    def test_kvm_that_is_not_a_module(self):
        for config, why in (("KVM=y KVM_INTEL=y", "KVM built in"), ("X=m", "has no KVM")):
            headers = self.make_headers(why.replace(" ", "-"), "6.6.3", "6.6.3-some", config)
            self.assertIn(why, self.refused("--source", self.tree, "--headers", headers))

    def test_versions_differ(self):
        tree = self.make_tree("other", "6.6.4", X86_C)
        self.assertIn("is 6.6.4, the headers of 6.6.3-some are 6.6.3",
                      self.refused("--source", tree, "--headers", self.headers))
        tree = self.make_tree("candidate", "6.6.3", X86_C, extra=" -rc1")
        self.assertIn("is 6.6.3-rc1,", self.refused("--source", tree, "--headers", self.headers))


    def test_older_revision(self):
        """Debian's source of the same x.y.z, but without the fixes that the kernel has."""
        queries = self.top / "bin/dpkg-query"
        queries.parent.mkdir(exist_ok=True)
        queries.write_text('#!/bin/sh\nfor word; do :; done\n'
                           'case $word in source) echo "$SOURCE" ;; headers) echo "$HEADERS" ;; esac\n')
        queries.chmod(0o755)
        for source, headers, older in (("6.1.192-2", "6.1.192-3", True), ("6.1.192-3", "6.1.192-3", False),
                                       ("6.1.192-10", "6.1.192-9", False), ("6.12.9-1~bpo12+1", "6.12.9-1", True),
                                       ("", "6.1.192-3", False), ("6.1.192-2", "", False)):
            done = subprocess.run(["bash", "-c", '. "$1/host/source_tree.sh"; older_source source headers',
                                   "bash", self.kvm], capture_output=True, text=True, check=False,
                                  env={**os.environ, "PATH": f"{queries.parent}:{os.environ['PATH']}",
                                       "SOURCE": source, "HEADERS": headers})
            said = f"source is {source}, older than headers {headers}\n" if older else ""
            self.assertEqual((done.returncode == 0, done.stdout), (older, said))


class Nearest(Build):
    """Which hooks a tree gets."""

    def test_order(self):
        self.assertEqual(self.nearest("6.6.3"), ["6.1", "6.12"])
        self.assertEqual(self.nearest("6.7"), ["6.12", "6.1"])
        self.assertEqual(self.nearest("5.15.0"), ["6.1", "6.12"])
        self.assertEqual(self.nearest("7.3.0-rc1"), ["6.12", "6.1"])

    def test_order_across_major_numbers(self):
        """5.19 is next to 6.0, 6.0 and 6.1 are farther from it; of two that are as near, the newer."""
        (self.kvm / "patches/5.19.patch").touch()
        self.assertEqual(self.nearest("6.0"), ["6.1", "5.19", "6.12"])
        self.assertEqual(self.nearest("5.18"), ["5.19", "6.1", "6.12"])

    def hook(self, *words):
        out, said = self.built("--source", self.tree, "--headers", self.headers, *words)
        hooks = re.findall(r"hook of (\S+)", (out / "kvm.ko").read_text())
        return hooks, said

    def test_nearest_that_fits(self):
        hooks, said = self.hook()
        self.assertEqual(hooks, ["6.1"])
        self.assertEqual(said, "kvm/build: Linux 6.6.3: the hooks of patches/6.1.patch fit\n")

    def test_farther_one(self):
        lines = list(X86_C)
        lines[HOOK_AFTER["6.1"]] = "changed"
        (self.tree / "arch/x86/kvm/x86.c").write_text("\n".join(lines) + "\n")
        self.assertEqual(self.hook()[0], ["6.12"])

    def test_hook_at_another_line(self):
        (self.tree / "arch/x86/kvm/x86.c").write_text("\n".join(["new"] * 7 + X86_C) + "\n")
        self.assertEqual(self.hook()[0], ["6.1"])

    def test_stock(self):
        self.assertEqual(self.hook("--stock")[0], [])

    def test_rejects(self):
        """Even one line of context that differs: a hook could be at a wrong place."""
        lines = list(X86_C)
        lines[HOOK_AFTER["6.1"] + 1] = lines[HOOK_AFTER["6.12"] + 1] = "changed"
        (self.tree / "arch/x86/kvm/x86.c").write_text("\n".join(lines) + "\n")
        done = self.build("--source", self.tree, "--headers", self.headers)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("arch/x86/kvm/x86.c: Hunk #1 FAILED at 9.\n", done.stderr)
        self.assertIn("+hook of 6.1\n", done.stderr)
        last = done.stderr.splitlines()[-1]
        self.assertRegex(last, r"\Akvm/build: Linux 6\.6\.3: no patch fits; what the nearest, "
                               r"patches/6\.1\.patch, rejects is above and in \S+ \(kvm/README\.md")
        kept = pathlib.Path(re.search(r"and in (\S+)", last)[1]) / "arch/x86/kvm/x86.c.rej"
        self.assertIn("+hook of 6.1\n", kept.read_text())
        self.assertEqual(list(self.tree.rglob("*.rej")), [])

    def test_a_file_that_the_tree_has_not(self):
        for series in HOOK_AFTER:
            path = self.kvm / f"patches/{series}.patch"
            path.write_text(path.read_text().replace("x86.c", "gone.c"))
        done = self.build("--source", self.tree, "--headers", self.headers)
        self.assertEqual(done.returncode, 1)
        self.assertIn("a file that is not there: 1 out of 1 hunk ignored\n", done.stderr)


class Modules(Build):
    """What is built, from what, and where it goes."""

    def test_files(self):
        out, _ = self.built("--source", self.tree, "--headers", self.headers)
        self.assertEqual(out, self.top / "project/.cache/kvm/6.6.3-some")
        self.assertLessEqual({"kvm.ko", "kvm-intel.ko", "kvm-amd.ko", "vmx_caps.ko"},
                             {path.name for path in out.iterdir()})

    def test_vendors_that_the_kernel_has(self):
        headers = self.make_headers("intel", "6.6.3", "6.6.3-intel", "KVM=m KVM_INTEL=m")
        out, _ = self.built("--source", self.tree, "--headers", headers)
        self.assertTrue((out / "kvm-intel.ko").exists())
        self.assertFalse((out / "kvm-amd.ko").exists())

    def test_tree_stays_as_it_is(self):
        before = {path: path.read_bytes() for path in self.tree.rglob("*") if path.is_file()}
        self.built("--source", self.tree, "--headers", self.headers)
        self.assertEqual(before, {path: path.read_bytes() for path in self.tree.rglob("*")
                                  if path.is_file()})

    def test_what_was_built_in_the_tree_is_not_taken(self):
        for name in ("x86.o", ".x86.o.cmd", "kvm.mod.c", "kvm.ko"):
            (self.tree / "arch/x86/kvm" / name).write_text("old\n")
        self.built("--source", self.tree, "--headers", self.headers, "--cache", "cache")
        copied = {path.name for path in (self.top / "cache/6.6.3-some/tree").rglob("*")}
        self.assertIn("x86.c", copied)
        self.assertFalse(copied & {"x86.o", ".x86.o.cmd", "kvm.mod.c"}, copied)
        self.assertNotEqual((self.top / "cache/6.6.3-some/kvm.ko").read_text(), "old\n")

    def test_another_tree(self):
        """Nothing of the first one stays in the second build."""
        (self.tree / "virt/kvm/first.c").touch()
        second = self.make_tree("second", "6.6.3", X86_C)
        built_in = self.top / "cache/6.6.3-some/tree/virt/kvm"
        for tree, names in ((self.tree, {"kvm_main.c", "first.c"}), (second, {"kvm_main.c"})):
            self.built("--source", tree, "--headers", self.headers, "--cache", "cache")
            self.assertEqual({path.name for path in built_in.iterdir()}, names)

    def test_paths_of_a_whole_tree(self):
        self.built("--source", self.tree, "--headers", self.headers, "--cache", "cache")
        text = (self.top / "cache/6.6.3-some/tree/arch/x86/kvm/Makefile").read_text()
        self.assertEqual(text, "ccflags-y += -I $(KVM_TREE)/arch/x86/kvm -I $(KVM_TREE)/arch/x86\n")


# In place of pahole: adds to the module what the base's section .BTF contains.
PAHOLE = """#!/bin/sh
while [ "$1" != --btf_base ]; do shift; done
objcopy -O binary --only-section=.BTF --set-section-flags .BTF=alloc "$2" "$3.btf"
cat "$3.btf" >>"$3"
"""


class Btf(Build):
    """--btf: the kernel's own BTF is found in its image."""

    def setUp(self):
        super().setUp()
        (self.top / "bin").mkdir()
        self.program("pahole", PAHOLE)
        # objcopy --strip-debug would refuse what these modules are.
        self.program("objcopy", '#!/bin/sh\n[ "$1" = --strip-debug ] || exec /usr/bin/objcopy "$@"\n')
        self.image = self.top / "vmlinuz"

    def program(self, name, text):
        (self.top / "bin" / name).write_text(text)
        (self.top / "bin" / name).chmod(0o755)

    def make_image(self, *options):
        """A program of the host as the kernel, compressed after and before other bytes."""
        (self.top / "types").write_text("types of the kernel")
        subprocess.run(["objcopy", *options, "/bin/true", self.top / "elf"], check=True)
        packed = gzip.compress((self.top / "elf").read_bytes())
        self.image.write_bytes(b"code \x1f\x8b\x08 that unpacks" + packed + b"more")

    def words(self, *more):
        return ["--source", self.tree, "--headers", self.headers, "--btf", "--image", self.image,
                *more]

    def test_only_with_btf(self):
        self.assertIn("--image: only with --btf", self.refused("--image", self.image))

    def test_no_image(self):
        self.assertIn("vmlinuz: no such file", self.refused(*self.words()))
        self.assertEqual(list(self.top.rglob("*.ko")), [])  # nor was anything compiled

    def test_no_kernel_in_it(self):
        self.image.write_bytes(b"\x1f\x8b\x08 nothing")
        self.assertIn("no kernel found in it", self.build(*self.words()).stderr)

    def test_kernel_without_btf(self):
        self.make_image()
        self.assertIn("the kernel has no BTF", self.build(*self.words()).stderr)

    def test_modules_have_it(self):
        self.make_image("--add-section", f".BTF={self.top}/types")
        folder, _ = self.built(*self.words())
        for name in ("kvm", "kvm-intel", "kvm-amd", "vmx_caps"):
            self.assertIn("types of the kernel", (folder / f"{name}.ko").read_text())
        self.assertNotIn("types", (self.built(*self.words()[:4])[0] / "kvm.ko").read_text())

    def maybe(self, *more):
        words = [word if word != "--btf" else "--btf-if-possible" for word in self.words(*more)]
        return self.built(*words)

    def test_if_possible(self):
        self.make_image("--add-section", f".BTF={self.top}/types")
        folder, _ = self.maybe()
        self.assertIn("types of the kernel", (folder / "kvm.ko").read_text())

    def test_not_possible(self):
        """Built without, and why."""
        folder, stderr = self.maybe()
        self.assertIn("without BTF: ", stderr)
        self.assertIn("vmlinuz: no such file", stderr)
        self.make_image()
        folder, stderr = self.maybe()
        self.assertIn("without BTF: ", stderr)
        self.assertIn("the kernel has no BTF", stderr)
        self.assertNotIn("types", (folder / "kvm.ko").read_text())

    def test_pahole_fails(self):
        """Then the modules are as without it; what it says does not get into the folder's name."""
        self.make_image("--add-section", f".BTF={self.top}/types")
        self.program("pahole", "#!/bin/sh\necho too old\nexit 1\n")
        folder, stderr = self.maybe()
        self.assertRegex(stderr, r"without BTF: pahole failed on \S+/kvm.ko")
        self.assertEqual(stderr.count("without BTF"), 1)
        self.assertNotIn("types", (folder / "kvm-amd.ko").read_text())
        self.assertIn("--btf: pahole failed on", self.build(*self.words()).stderr)
        self.assertEqual(list(self.top.rglob("kernel_btf")), [])

    def test_another_suite(self):
        """Before anything is downloaded."""
        with open(self.kvm / "series", "a", encoding="utf-8") as series:
            series.write("9.9\tnosuite\tlinux-source-9.9\tlinux-image-KVER\thand\n")
        (self.kvm / "patches/9.9.patch").touch()
        # As in the DKMS package, which has no host/suite.
        self.assertIn("the headers of 9.9.0-some are missing", self.refused("--kernel", "9.9.0-some"))
        suite = self.kvm / "host/suite"
        suite.touch(mode=0o755)
        self.assertIn("--btf: not for a kernel of another Debian suite",
                      self.refused("--kernel", "9.9.0-some", "--btf"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
