#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Claims about the tree as a whole: file tables, one place for the kernel series, options."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

ROOT = pathlib.Path(__file__).resolve().parents[1]

SOURCE = re.compile(r"\.(?:[chS]|py|sh|awk|sql|css|in)$")
TABLE_HEAD = re.compile(r"^\| *(file|folder)s? *\|")

# What may name a kernel series: the table, the hooks, recordings and documents, and places
# that state a fact about one series.
# "From 6.1 on" is such a fact.
NAMES_SERIES = re.compile(r"(?<![\d.:])(?<!from )(?<!before )(?:5\.10|6\.1|6\.12|7\.3)(?![\d])(?!\.\d+\.\d)")
MAY_NAME_SERIES = re.compile(
    r"^kvm/series$|^kvm/patches/|^testdata/|/testdata/|/test/|\.md$|^tools/tree_test\.py$")

# Scripts that people start.
SCRIPTS = {
    "./check": [], "./demo": [],
    "analyzer/push/test/clickhouse_test": [], "dashboards/schema_check": [],
    "analyzer/scale/engines": [],
    "kvm/build": [], "kvm/host/suite": [], "kvm/install": [], "kvm/uninstall": [],
    "testbed/boot-linux": [], "testbed/compare-paging": [], "testbed/compare-perf": [],
    "testbed/compare-sources": [],
    "testbed/promises": [],
    "testbed/repeat": [],
    "testbed/run": [], "testbed/test": [],
    "testbed/witness/table": [],
    "kvm/test/checkpatch_test": [], "kvm/test/cost": [], "kvm/test/debug_kernel": [],
    "kvm/test/dkms_test": [],
    "kvm/test/install_test": [], "kvm/test/modules_test": [], "kvm/test/mutation_test": [],
    "kvm/test/paging_host_test": [],
    "package/make_debs": [], "package/test/reproduce": [], "package/test/service": [],
    "proof/prove": [],
    "tools/compile_commands.py": [], "tools/cycles.py": [], "tools/format": [], "tools/picture.py": [],
    "tools/style.py": [], "tools/tidy": [],
}
NEED_VALUE = {
    "./demo": ["--db"],
    "kvm/build": ["--kernel", "--source", "--headers", "--out", "--cache"],
    "kvm/host/suite": ["--cache"],
    "kvm/install": ["--modules", "--kvm-params", "--vendor-params"],
    "proof/prove": ["--jobs"],
    "testbed/boot-linux": ["--out"],
    "testbed/compare-paging": ["--out", "--machine", "--kernel", "--modules"],
    "testbed/compare-perf": ["--out", "--op", "--count"],
    "testbed/promises": ["--only", "--kernel"],
    "testbed/repeat": ["--machine", "--kernel", "--runs", "--keep", "--time-limit"],
    "testbed/run": ["--kernel", "--memory", "--modules", "--out", "--add"],
    "testbed/test": ["--only", "--keep"],
}
MAY_BE_EMPTY = {"--only"}  # all machines


def tracked():
    """All files of the tree, new ones too."""
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                         cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted({name for name in out.splitlines() if (ROOT / name).is_file()})


def read(name):
    return (ROOT / name).read_text(errors="replace")


def is_source(name):
    if SOURCE.search(name):
        return True
    with open(ROOT / name, "rb") as file:
        return file.read(2) == b"#!"


def file_table(text):
    """(kind, [names]) of the first column of a README's table of files or folders."""
    kind, names, inside = None, [], False
    for line in text.splitlines():
        head = TABLE_HEAD.match(line)
        if head:
            kind, inside = kind or head.group(1), True
        elif inside and line.startswith("|"):
            first = line.split("|")[1]
            names += re.findall(r"`([^`]+)`", first) or re.findall(r"\[([^\]]+)\]", first)
        else:
            inside = False
    return kind, names


def expand(name):
    """`a.[ch]` stands for two files."""
    found = re.fullmatch(r"(.*)\[(\w+)\](.*)", name)
    return [found[1] + c + found[3] for c in found[2]] if found else [name]


class FileTables(unittest.TestCase):
    """A README's file table names all that is in its folder, and nothing else."""

    def tables(self):
        for readme in tracked():
            if readme.endswith("README.md") and not readme.startswith("third_party/"):
                yield readme, *file_table(read(readme))

    def test_every_readme_of_sources_has_a_table(self):
        for readme, kind, names in self.tables():
            with self.subTest(readme):
                self.assertTrue(names, f"{readme}: no table with the head '| file |' or "
                                       "'| folder |': add one")

    def test_what_is_named_exists(self):
        for readme, _, names in self.tables():
            folder = (ROOT / readme).parent
            gone = [name for names_of in map(expand, names) for name in names_of
                    if not (folder / name).exists() and not list(folder.glob(name))]
            with self.subTest(readme):
                self.assertEqual(gone, [], f"{readme} names what is not there: take it out")

    def test_nothing_is_left_out(self):
        files = tracked()
        for readme, kind, names in self.tables():
            top = str(pathlib.Path(readme).parent)
            prefix = "" if top == "." else top + "/"
            named = {name.rstrip("/") for each in names for name in expand(each)}
            for glob in [name for name in named if "*" in name]:
                named |= {str(path.relative_to(ROOT / top)) for path in (ROOT / top).glob(glob)}
            # A header goes with its .c file.
            named |= {name[:-2] + ".h" for name in named if name.endswith(".c")}
            missing = set()
            for file in files:
                if not file.startswith(prefix):
                    continue
                inner = pathlib.PurePath(file[len(prefix):])
                if any(str(parent) in named for parent in [inner, *inner.parents]):
                    continue
                if len(inner.parts) > 1:
                    has_own_entry = any(name.startswith(inner.parts[0] + "/") for name in named)
                    if not has_own_entry or is_source(file):
                        missing.add(inner.parts[0] + "/" if not has_own_entry else str(inner))
                elif kind != "folder" and is_source(file):
                    missing.add(str(inner))
            with self.subTest(readme):
                self.assertEqual(sorted(missing), [], f"{readme}: add it to the table of files")


class HeadLines(unittest.TestCase):
    """Each file opens with its licence, in the kernel's manner, and with what it is for."""

    def test_licence_line(self):
        for name in tracked():
            mark = {".c": "// SPDX-", ".h": "/* SPDX-"}.get(pathlib.PurePath(name).suffix)
            if mark:
                self.assertTrue(read(name).startswith(mark), f"{name}: begins with {mark}...")
            elif is_source(name) and name.endswith((".sh", ".py")):
                self.assertIn("SPDX-License-Identifier", read(name)[:200], name)

    def test_purpose(self):
        for name in tracked():
            if name.endswith((".c", ".h")):
                second = read(name).split("\n")[1]
                self.assertTrue(second.startswith(("/*", "//")),
                                f"{name}: the second line is not 'NAME - what it is for'")


class ManualPages(unittest.TestCase):
    """The pages of doc/ are valid mdoc, and kvm_exit_ring(4) has what the ABI has."""

    def test_mandoc_accepts_them(self):
        pages = [str(path) for path in sorted((ROOT / "doc").glob("*.[1-9]"))]
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], text=True,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_requests_are_those_of_the_header(self):
        abi = read("kvm/uapi/kvm_exit_ring.h")
        requests = set(re.findall(r"#define (KVM_EXIT_RING_\w+)\s+_IO", abi))
        self.assertTrue(requests)
        page = read("doc/kvm_exit_ring.4")
        self.assertEqual(set(re.findall(r"^\.It Dv (KVM_EXIT_RING_\w+)", page, re.M)), requests)
        for name in re.findall(r"KVM_EXIT_[A-Z]+_\w+", page):
            self.assertIn(name, abi)
        for name in re.findall(r'Vt "(struct \w+)"', page):
            self.assertIn(name, abi)

    def test_parameters_are_those_of_the_module(self):
        found = set()
        for path in (ROOT / "kvm/ring").glob("*.c"):
            found |= set(re.findall(r"module_param(?:_named|_cb)?\((\w+)", path.read_text()))
        page = read("doc/kvm_exit_ring.4").split(".Sh MODULE PARAMETERS")[1].split(".Sh ")[0]
        self.assertEqual(set(re.findall(r"^\.It Va (\w+)", page, re.M)), found)

    def test_equations_of_verify(self):
        """Each equation is explained, in the order in which verify shows them."""
        table = read("analyzer/verify/verify_equations.c").split("verify_equations[]")[1].split("\n};")[0]
        names = re.findall(r'^\t\{"(\w+)"', table, re.M)
        self.assertGreater(len(names), 25)
        readme = read("analyzer/verify/README.md").split("| equation |")[1].split("\n\n")[0]
        self.assertEqual(re.findall(r"^\| `(\w+)` \|", readme, re.M), names)
        page = read("analyzer/man/analyzer.1.in").split(".Sh EQUATIONS OF VERIFY")[1].split(".Sh ")[0]
        self.assertEqual(re.findall(r"^\.It Li (\w+)", page, re.M), names)

    def test_first_table_is_explained(self):
        """Each column that README.md shows, and the words above it, stand in its tables."""
        text = read("README.md")
        shown = re.search(r"^coverage: .*\n(REASON .*)", text, re.M)[1].split()
        words = " ".join(re.findall(r"^\| ([^|]*) \|", text, re.M))
        for word in [*shown, "coverage", "recorded", "dropped", "unread", "BUSY%"]:
            self.assertIn(word, re.split(r"[ ,:|]+", words), f"README.md does not explain {word}")

    def test_glossary(self):
        """It has the words of this project that the first table needs, and is in order."""
        page = read("doc/exitscope.7").split(".Sh GLOSSARY")[1].split(".Sh ")[0]
        entries = re.findall(r"^\.It (.*)", page, re.M)
        self.assertEqual(entries, sorted(entries, key=str.lower))
        words = [word for entry in entries for word in entry.split(", ")]
        for word in ("coverage", "dropped", "unread", "BUSY%", "handler", "halted", "userspace",
                     "preempted", "SPLIT", "P50", "P99", "run", "record", "part", "source"):
            self.assertIn(word, words)


class Specification(unittest.TestCase):
    """Every promise of SPECIFICATION.md has a test, and the test is there."""

    def promises(self):
        """(number, [names of tests])"""
        for line in read("SPECIFICATION.md").splitlines():
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) == 5 and cells[1].isdigit():
                yield int(cells[1]), re.findall(r"`([^`]+)`", cells[3])

    def exists(self, test):
        if test.startswith("//"):
            package, name = test[2:].split(":")
            return f'"{name}"' in read(f"{package}/BUILD")
        if ": " in test:
            file, name = test.split(": ", 1)
            is_title = f'{{"{name}", test_' if file.endswith(".c") else f"\ndef {name}("
            return (ROOT / file).is_file() and is_title in read(file)
        file, *words = test.split(" ")
        return os.access(ROOT / file, os.X_OK) and all(f'"{word}"' in read(file) for word in words)

    def test_each_promise_has_a_test_that_exists(self):
        numbers = []
        for number, tests in self.promises():
            numbers.append(number)
            self.assertTrue(tests, f"promise {number} has no test")
            for test in tests:
                self.assertTrue(self.exists(test), f"promise {number}: {test}: not there")
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertGreaterEqual(len(numbers), 20)

    def test_a_test_that_is_not_there_is_noticed(self):
        for test in ("//kvm:no_test", "kvm/test/device/device_test.c: no such title",
                     "proof/prove nothing", "kvm/test/no_test", "testbed/bed/cases.py: no_case",
                     "no/file.c: title"):
            self.assertFalse(self.exists(test), test)


    def test_faults_are_of_promises(self):
        """Each fault of testbed/promises is at a place that is there, and its test is of its row."""
        sys.path.insert(0, str(ROOT / "testbed"))
        from bed import promises

        rows = dict(self.promises())
        numbers = [each.promise for each in promises.BREAKS]
        self.assertEqual(numbers, sorted(set(numbers)))
        for each in promises.BREAKS:
            with self.subTest(each.promise):
                self.assertIn(each.test, rows[each.promise])
                self.assertNotEqual(each.changed(), read(each.file))
                if not each.is_in_l1 and not each.is_of_bazel:
                    self.assertTrue(each.says, "a program also fails when it can't begin")


class BedPrograms(unittest.TestCase):
    """A program that the machines run must be built by what ./check builds for them."""

    def test_all_are_built(self):
        suite = re.search(r"^PROGRAMS = \((.*?)\)", read("testbed/bed/suite.py"), re.S | re.M)
        run = set(re.findall(r'"([\w/]+)"', suite.group(1)))
        built = re.search(r'name = "bed_programs".*?\]', read("BUILD"), re.S)
        labels = re.findall(r'"//kvm/test/(\w+:\w+)"', built.group())
        self.assertEqual({label.replace(":", "/") for label in labels}, run)


class KernelSeries(unittest.TestCase):
    """kvm/series is the only place that names the kernel series."""

    def rows(self):
        return [line.split("\t") for line in read("kvm/series").splitlines()
                if line and not line.startswith("#")]

    def test_each_series_has_its_hooks(self):
        patches = {path.stem for path in (ROOT / "kvm/patches").glob("*.patch")}
        self.assertEqual({row[0] for row in self.rows()}, patches)

    def test_rows_have_all_columns(self):
        for row in self.rows():
            self.assertEqual(len(row), 5, f"kvm/series: {row}: five columns, one tab between")
            self.assertIn(row[4], ("quick", "full", "hand"))

    def series_sh(self, script, *words, own=""):
        """What functions of series.sh print, on a system of the suite @own."""
        begin = '. kvm/host/series.sh; own_suite() { echo "$own"; }; '
        done = subprocess.run(["sh", "-c", begin + script, "sh", *words], cwd=ROOT, capture_output=True,
                              text=True, check=True,
                              env={**os.environ, "series_table": "kvm/series", "own": own})
        return done.stdout.split()

    def listed(self, *tests):
        return self.series_sh('series_list "$@"', *tests)

    def test_tests_take_their_series(self):
        rows = self.rows()
        self.assertEqual(self.listed(), [row[0] for row in rows])
        self.assertEqual(self.listed("quick"), [row[0] for row in rows if row[4] == "quick"])
        self.assertEqual(self.listed("full"), [row[0] for row in rows if row[4] != "hand"])
        self.assertEqual(self.listed("quick")[0], rows[0][0])

    def of_kernel_py(self, expression, *words):
        """What testbed/bed/kernel.py says, as text."""
        code = f"import sys; from bed import kernel; {expression}"
        done = subprocess.run([sys.executable, "-B", "-c", code, *words], cwd=ROOT / "testbed",
                              capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def test_suites_are_the_same_in_shell_and_python(self):
        """Which series are of another suite, and the default one, on each system."""
        suites = {suite.removesuffix("-backports") for row in self.rows() for suite in row[1].split(",")}
        for own in *sorted(suites), "forky", "":
            code = f"kernel._suite = lambda: '{own}'; print(kernel.default_series(), "
            python = self.of_kernel_py(code + "*filter(kernel.is_foreign, kernel.all_series()))")
            shell = self.series_sh(
                'series_default; for s in $(series_list); do ! is_foreign "$s" || echo "$s"; done', own=own)
            self.assertEqual(python.split(), shell, own)

    def test_packages_are_of_this_suite_if_it_has_them(self):
        """Of a series in two suites: that of the system, or the first elsewhere."""
        row = next(row for row in self.rows() if "," in row[1])
        first, second = row[1].split(",")
        for own, right in (first, first), (second, second), ("forky", first):
            self.assertEqual(self.series_sh('series_suite "$1"', row[0], own=own), [right], own)

    def test_errors_of_another_suite_are_handed_on(self):
        """With the way out that kvm/host/suite names, and no other."""
        said = self.of_kernel_py("""
try:
    kernel._apt([kernel.OTHER_SUITE, "root", "none"])
except kernel.BedError as error:
    print(error)""")
        self.assertRegex(said, r"\Akvm/host/suite: root none: [^()]+ \(kvm/host/suite --help\)\Z")

    def test_no_other_file_names_one(self):
        named = []
        for name in tracked():
            if MAY_NAME_SERIES.search(name) or not is_source(name) and not name.endswith(
                    (".bzl", "BUILD", ".conf", "WORKSPACE")):
                continue
            for number, line in enumerate(read(name).splitlines(), 1):
                text = line.strip()
                comment = text.startswith(("*", "/*", "//", "--", "#"))
                if NAMES_SERIES.search(text) and not comment:
                    named.append(f"{name}:{number}: {text}")
        self.assertEqual(named, [], "take it from kvm/series")


class Options(unittest.TestCase):
    """Every script refuses an option in the same words, and has -h and --help."""

    def run_script(self, script, *words):
        return subprocess.run([script, *words], cwd=ROOT, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)

    def test_unknown_option(self):
        for script, rest in SCRIPTS.items():
            with self.subTest(script):
                done = self.run_script(script, "--nonsense", *rest)
                self.assertEqual(done.stderr,
                                 f"{script}: --nonsense: unknown option ({script} --help)\n")
                self.assertNotEqual(done.returncode, 0)

    def test_refused_before_anything_is_changed(self):
        """compare-perf removes older results: not where its options are wrong."""
        with tempfile.TemporaryDirectory() as folder:
            old = pathlib.Path(folder) / "cpuid" / "run.sqlite"
            old.parent.mkdir()
            old.write_text("older")
            for words in (["--nonsense"], ["--cpus", "0"], ["--machine", "none"]):
                done = self.run_script("testbed/compare-perf", "--out", folder, *words)
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertTrue(done.stderr.startswith("testbed/compare-perf: "), done.stderr)
            self.assertEqual(old.read_text(), "older")

    def test_two_modes(self):
        for words in (["--fast", "--full"], ["--full", "proofs"], ["--fast", "--fast"]):
            with self.subTest(words):
                done = self.run_script("./check", *words)
                self.assertEqual(done.stderr, f"./check: {words[0]} and {words[1]}: use one of them"
                                              " (./check --help)\n")

    def test_word_missing(self):
        done = self.run_script("testbed/run", "--cpus", "2")
        self.assertEqual(done.stderr, "testbed/run: COMMAND: missing (testbed/run --help)\n")

    def test_value_missing(self):
        for script, options in NEED_VALUE.items():
            for option in options:
                with self.subTest(script, option=option):
                    done = self.run_script(script, option)
                    self.assertEqual(done.stderr,
                                     f"{script}: {option}: needs a value ({script} --help)\n")
                    self.assertNotEqual(done.returncode, 0)

    def test_value_empty(self):
        for script, options in NEED_VALUE.items():
            for option in set(options) - MAY_BE_EMPTY:
                with self.subTest(script, option=option):
                    done = self.run_script(script, option, "")
                    self.assertEqual(done.stderr,
                                     f"{script}: {option}: the value is empty ({script} --help)\n")
                    self.assertNotEqual(done.returncode, 0)

    def test_value_refused(self):
        for words, what in ((["testbed/run", "--add", ":/lib", "true"],
                             "--add: the name of the file is empty"),
                            (["testbed/run", "--time-limit", "nan", "true"],
                             "--time-limit not above 0"),
                            (["testbed/repeat", "--time-limit", "nan"],
                             "--time-limit not above 0")):
            with self.subTest(words):
                done = self.run_script(*words)
                self.assertIn(what, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)

    def test_help(self):
        for script in SCRIPTS:
            with self.subTest(script):
                short, long = self.run_script(script, "-h"), self.run_script(script, "--help")
                self.assertEqual((short.returncode, short.stderr), (0, ""))
                self.assertNotRegex(long.stdout, rf"(?ms)\Ausage: {script}$.*^\s+{script} \[",
                                    "the first line has to name the words that it takes")
                self.assertTrue(short.stdout.startswith(f"usage: {script}"), short.stdout)
                self.assertEqual(short.stdout, long.stdout)

    def test_no_script_is_forgotten(self):
        programs = []
        for name in tracked():
            path = ROOT / name
            if not path.stat().st_mode & 0o100 or not read(name).startswith("#!"):
                continue
            if not re.search(r"_test\.(?:sh|py)$|_(?:in_l1|init)\.sh$|^\.ci/|^third_party/", name):
                programs.append(name if "/" in name else "./" + name)
        # Not for people: Bazel starts them, with its arguments.
        known = set(SCRIPTS) | {"collector/test/faults/faults.py", "fuzz/fuzz.sh",
                               "package/commands.sh", "package/record-days", "tools/tree_test.py"}
        self.assertEqual(sorted(set(programs) - known), [], "add it to SCRIPTS")


if __name__ == "__main__":
    unittest.main()
