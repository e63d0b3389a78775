#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""packages_test.py DEBS AGAIN VERSION MAKE_CAPTURE ANALYZER RECORDING - what the packages hold and do

DEBS is the folder of the packages, AGAIN that of a second build; MAKE_CAPTURE and ANALYZER are the
tree's own programs, RECORDING one of trace-cmd.
"""

import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

DEBS, AGAIN, VERSION_FILE, MAKE_CAPTURE, ANALYZER, RECORDING = (
    pathlib.Path(word).resolve() for word in sys.argv[1:7])
VERSION = VERSION_FILE.read_text().strip()
WORK = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
ROOT, DKMS_ROOT = WORK / "root", WORK / "dkms"
EXITSCOPE = ROOT / "usr/bin/exitscope"
PARTS = ROOT / "usr/libexec/exitscope"


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False, cwd=WORK, **options)


def exitscope(*words):
    return run(EXITSCOPE, *words)


def deb(name):
    found = list(DEBS.glob(f"{name}_*.deb"))
    assert len(found) == 1, found
    return found[0]


def files(root):
    return {str(path.relative_to(root)): path for path in sorted(root.rglob("*"))
            if not path.is_dir()}


def commands():
    """Those of the analyzer, by its own help."""
    text = run(ANALYZER, "--help").stdout
    return [name for name in re.findall(r"^  ([a-z][a-z-]*)  +\w", text, re.M)
            if name != "analyzer"]


class Packages(unittest.TestCase):
    """Names, fields, files and scripts of both packages."""

    def field(self, name, field):
        return run("dpkg-deb", "--field", deb(name), field).stdout.strip()

    def test_names(self):
        self.assertEqual({path.name for path in DEBS.iterdir()},
                         {f"exitscope_{VERSION}_amd64.deb", f"exitscope-dkms_{VERSION}_all.deb"})

    def test_fields(self):
        for name, architecture in ("exitscope", "amd64"), ("exitscope-dkms", "all"):
            self.assertEqual(self.field(name, "Package"), name)
            self.assertEqual(self.field(name, "Version"), VERSION)
            self.assertEqual(self.field(name, "Architecture"), architecture)
            self.assertNotIn("@", self.field(name, "Depends") + self.field(name, "Description"))

    def test_dependencies_are_those_of_the_libraries(self):
        depends = self.field("exitscope", "Depends")
        for part in ("collector", "analyzer"):
            needed = re.findall(r"\(NEEDED\).*\[(\S+)\]", run("readelf", "-d", PARTS / part).stdout)
            self.assertIn("libc.so.6", needed)
            for library in needed:
                stem = re.match(r"lib[a-z]+", library)[0]
                packages = {"libm": "libc6", "libc": "libc6", "libz": "zlib1g"}
                self.assertIn(packages.get(stem, stem), depends)

    def test_dkms_needs_a_kernel_source(self):
        self.assertRegex(self.field("exitscope-dkms", "Depends"),
                         r"\bdkms, .*linux-source-\S+( \| linux-source-\S+)*$")

    def test_one_name_in_the_path(self):
        in_path = [name for name in files(ROOT) if re.search(r"(^|/)s?bin/", name)]
        self.assertEqual(in_path, ["usr/bin/exitscope"])

    def test_no_general_names(self):
        for name in files(ROOT):
            self.assertTrue("exitscope" in name or "kvm_exit_ring" in name, name)

    def test_what_a_person_expects(self):
        for name in ("usr/lib/exitscope/exitscope_ext.so",
                     "usr/lib/systemd/system/exitscope-record@.service",
                     "usr/share/bash-completion/completions/exitscope",
                     "usr/share/exitscope/dashboards/exitscope.json",
                     "usr/share/exitscope/dashboards/fleet-clickhouse.json",
                     "usr/share/doc/exitscope/SQL.md.gz", "usr/share/doc/exitscope/views.sql.gz",
                     "usr/share/doc/exitscope/copyright", "usr/share/man/man1/exitscope.1.gz",
                     "usr/share/man/man1/exitscope-record.1.gz",
                     "usr/share/man/man1/exitscope-analyzer.1.gz",
                     "usr/share/man/man4/kvm_exit_ring.4.gz", "usr/share/man/man7/exitscope.7.gz"):
            self.assertIn(name, files(ROOT))

    def test_owner_mode_and_time(self):
        for path in DEBS.glob("*.deb"):
            lines = run("dpkg-deb", "--contents", path, env={**os.environ, "TZ": "UTC"}).stdout
            self.assertEqual({line.split()[1] for line in lines.splitlines()}, {"root/root"})
            self.assertEqual(len({tuple(line.split()[3:5]) for line in lines.splitlines()}), 1)
            self.assertLessEqual({line.split()[0] for line in lines.splitlines()},
                                 {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"})

    def test_sums(self):
        for name, root in ("exitscope", ROOT), ("exitscope-dkms", DKMS_ROOT):
            sums = run("dpkg-deb", "--info", deb(name), "md5sums").stdout
            self.assertEqual(sums.count("\n"), len(files(root)))
            done = subprocess.run(["md5sum", "--check", "--quiet"], input=sums, text=True, cwd=root,
                                  capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_scripts_are_valid(self):
        for name in ("exitscope", "exitscope-dkms"):
            for script in ("postinst", "prerm", "postrm"):
                text = run("dpkg-deb", "--info", deb(name), script).stdout
                self.assertRegex(text, r"\A#!/bin/sh\n")
                self.assertNotIn("@VERSION@", text)
                done = subprocess.run(["sh", "-n"], input=text, text=True, check=False)
                self.assertEqual(done.returncode, 0, script)

    def test_an_upgrade_ends_no_recording(self):
        """Nothing is stopped, restarted or enabled except when the package is removed."""
        for script in ("postinst", "postrm"):
            text = run("dpkg-deb", "--info", deb("exitscope"), script).stdout
            self.assertNotRegex(text, r"\b(stop|restart|start|enable)\b")
        text = run("dpkg-deb", "--info", deb("exitscope"), "prerm").stdout
        self.assertIn('[ "$1" = remove ]', text)

    def test_dkms_builds_with_what_is_there(self):
        """kvm/build finds the files that it reads, and the kernels are those of the table."""
        source = DKMS_ROOT / f"usr/src/exitscope-kvm-{VERSION}"
        text = (source / "dkms.conf").read_text()
        self.assertIn(f'PACKAGE_VERSION="{VERSION}"', text)
        self.assertNotIn("@", text.replace("@ from", ""))
        series = [line.split("\t")[0] for line in (source / "series").read_text().splitlines()
                  if line and not line.startswith("#")]
        for name in series:
            self.assertTrue((source / "patches" / f"{name}.patch").is_file())
            self.assertIn(name.replace(".", "\\."), text)
        for name in re.findall(r'^\s*\. "\$here/(\S+)"', (source / "build").read_text(), re.M):
            self.assertTrue((source / name).is_file(), name)
        done = run(source / "build", "--kernel", f"{series[0]}.0-none")
        self.assertIn("the headers of", done.stderr)
        self.assertIn("linux-headers-", done.stderr)

    def test_no_path_of_the_build(self):
        for path in [*files(ROOT).values(), *files(DKMS_ROOT).values()]:
            self.assertNotIn(b"bazel-out/", path.read_bytes(), path)

    def test_two_builds_are_equal(self):
        for path in DEBS.iterdir():
            self.assertEqual(path.read_bytes(), (AGAIN / path.name).read_bytes(), path.name)


class Program(unittest.TestCase):
    """exitscope starts its parts and hands on what they return."""

    @classmethod
    def setUpClass(cls):
        done = run(MAKE_CAPTURE, "--records", "2000", "--vcpus", "2", "--seed", "1", "a.cap")
        assert not done.returncode, done.stderr
        cls.recorded = exitscope("record", "--from", "a.cap", "--db", "run.sqlite")

    def test_version(self):
        done = exitscope("--version")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, f"exitscope {VERSION}\n", ""))

    def test_help_names_every_command(self):
        text = exitscope("--help").stdout
        self.assertEqual(exitscope("-h").stdout, text)
        self.assertEqual(exitscope().stdout, text)
        for words in (["help"], ["help", "help"], ["help", "--help"], ["--help", "help"],
                      ["--db", "run.sqlite", "help"], ["--db", "run.sqlite", "--help"]):
            done = exitscope(*words)
            self.assertEqual((done.returncode, done.stdout), (0, text), words)
        self.assertGreater(len(commands()), 10)
        for name in ["record", "import", "check-host", *commands()]:
            self.assertRegex(text, rf"(?m)^  {name}  +\w")

    def test_help_of_each_command(self):
        """Its lines can be typed as they stand."""
        for name in ["record", "import", *commands()]:
            done = exitscope("help", name)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"\A[uU]sage: exitscope ")
            self.assertNotRegex(done.stdout, r"(?m)^ *(analyzer [-a-z]|collector (--|import))")
            for words in ([name, "--help"], [name, "-h"], ["--help", name]):
                self.assertEqual(exitscope(*words).stdout, done.stdout, words)

    def test_mistyped(self):
        for words, why in (
                (["top-exit"], "top-exit: no such command (did you mean top-exits? exitscope --help)"),
                (["recrod"], "recrod: no such command (did you mean record? exitscope --help)"),
                (["qwertz"], "qwertz: no such command (exitscope --help)"),
                (["help", "qwertz"], "qwertz: no such command (exitscope --help)"),
                (["--nonsense"], "--nonsense: unknown option (exitscope --help)"),
                (["--db"], "--db: needs a value (exitscope --help)"),
                (["--db", "x"], "--db: without a command (exitscope --help)")):
            done = exitscope(*words)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (1, "", f"exitscope: {why}\n"))

    def test_record_then_ask(self):
        self.assertEqual(self.recorded.returncode, 0, self.recorded.stderr)
        mine = exitscope("top-exits", "--format", "csv")
        tree = run(ANALYZER, "top-exits", "--format", "csv")
        self.assertEqual((mine.returncode, mine.stdout), (0, tree.stdout))
        self.assertGreater(mine.stdout.count("\n"), 1)

    def test_db_in_every_place(self):
        wanted = exitscope("top-exits", "--format", "csv").stdout
        for words in (["--db", "run.sqlite", "top-exits"], ["--db=run.sqlite", "top-exits"],
                      ["top-exits", "--db", "run.sqlite"]):
            self.assertEqual(exitscope(*words, "--format", "csv").stdout, wanted)
        for words in (["--db", "b.sqlite", "record", "--from", "a.cap"],
                      ["--db", "c.sqlite", "import", RECORDING],
                      ["import", RECORDING, "--db", "d.sqlite"]):
            done = exitscope(*words)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((WORK / "b.sqlite").exists() and (WORK / "c.sqlite").exists())

    def test_exit_status_is_the_parts(self):
        self.assertEqual(exitscope("record").returncode, 1)
        self.assertEqual(exitscope("record").stderr, run(PARTS / "collector").stderr)
        self.assertEqual(exitscope("--db", "none.sqlite", "runs").returncode, 1)
        self.assertEqual(exitscope("check-host").returncode,
                         run(PARTS / "collector", "--check-host").returncode)
        # findings and compare have statuses of their own; one that is neither 0 nor 1:
        words = ["compare", "1", "1", "--fail-on", "rate=+1%"]
        self.assertEqual(exitscope(*words).returncode, run(ANALYZER, *words).returncode)

    def test_words_are_handed_on_as_they_are(self):
        query = "SELECT 'a  b', '--help', ';' || char(10)"
        self.assertEqual(exitscope("sql", query).stdout, run(ANALYZER, "sql", query).stdout)

    def test_output_that_fails(self):
        for words in ["--version"], ["--exec-path"], ["--help"], ["help", "record"]:
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run([EXITSCOPE, *words], stdout=full, stderr=subprocess.PIPE,
                                      text=True, check=False)
            self.assertEqual((done.returncode, done.stderr),
                             (1, "exitscope: standard output: No space left on device\n"))

    def test_part_missing(self):
        alone = WORK / "alone/bin"
        alone.mkdir(parents=True)
        shutil.copy(EXITSCOPE, alone)
        done = run(alone / "exitscope", "runs")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Aexitscope: .*/alone/libexec/exitscope/analyzer: No such file "
                                      r"or directory \(install the package exitscope again\)\n\Z")


class Documents(unittest.TestCase):
    """Manual pages, completion, extension and service are usable where they are installed."""

    def test_manual_pages(self):
        pages = [path for name, path in files(ROOT).items() if "/man/" in name]
        self.assertEqual(len(pages), 5)
        for path in pages:
            text = run("zcat", path).stdout
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=text, text=True,
                                  capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            title = re.search(r"^\.Dt (\S+) (\d)", text, re.M)
            self.assertEqual(f"{title[1].lower()}.{title[2]}.gz", path.name)
            self.assertNotRegex(text, r"(?m)^\.Xr (collector|analyzer) ")
            if path.name.startswith("exitscope-"):
                self.assertNotRegex(text, r"(?m)^(\.Dl )?(analyzer [-a-z]|collector (--|import))")

    def offers(self, *words):
        script = ROOT / "usr/share/bash-completion/completions/exitscope"
        done = run("bash", "-c", f'. "{script}" || exit 9; COMP_WORDS=("$@"); '
                   "COMP_CWORD=$(($# - 1)); _exitscope; printf '%s\\n' \"${COMPREPLY[@]}\"",
                   "bash", *words, env={**os.environ, "PATH": f"{ROOT}/usr/bin:{os.environ['PATH']}"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_completion(self):
        self.assertEqual(self.offers("exitscope", "to"), ["top-exits"])
        self.assertEqual(set(self.offers("exitscope", "")),
                         {"record", "import", "check-host", "help", *commands()})
        self.assertEqual(self.offers("exitscope", "help", "lat"), ["latency"])
        self.assertEqual(self.offers("exitscope", "record", "--no-"), ["--no-raw"])
        self.assertEqual(self.offers("exitscope", "top-exits", "--sort", "me"), ["mean"])
        self.assertEqual(self.offers("exitscope", "top-exits", "--format", "c"), ["csv"])
        self.assertEqual(self.offers("exitscope", "import", "x", "--no-"), ["--no-raw"])

    def test_completion_claims_one_name(self):
        text = (ROOT / "usr/share/bash-completion/completions/exitscope").read_text()
        self.assertEqual(re.findall(r"^complete .*", text, re.M),
                         ["complete -F _exitscope exitscope"])

    def test_extension(self):
        db = sqlite3.connect(":memory:")
        db.enable_load_extension(True)
        db.load_extension(str(ROOT / "usr/lib/exitscope/exitscope_ext"))
        self.assertEqual(db.execute("SELECT percentile(value, 50) FROM json_each('[1, 2, 3]')")
                         .fetchone()[0], 2)

    def test_views_are_documented(self):
        text = run("zcat", ROOT / "usr/share/doc/exitscope/SQL.md.gz").stdout
        views = run("zcat", ROOT / "usr/share/doc/exitscope/views.sql.gz").stdout
        for view in re.findall(r"^CREATE VIEW (\w+)", views, re.M):
            self.assertIn(view, text)


class Service(unittest.TestCase):
    """record-days, with a stand-in for exitscope that prints its words."""

    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        (self.top / "bin").mkdir()
        (self.top / "libexec/exitscope").mkdir(parents=True)
        (self.top / "data").mkdir()
        shutil.copy(PARTS / "record-days", self.top / "libexec/exitscope")
        (self.top / "bin/exitscope").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
        (self.top / "bin/exitscope").chmod(0o755)

    def record(self, **environment):
        return run(self.top / "libexec/exitscope/record-days",
                   env={"PATH": os.environ["PATH"], "STATE_DIRECTORY": str(self.top / "data"),
                        **environment})

    def old(self, name, days):
        path = self.top / "data" / name
        path.touch()
        then = path.stat().st_mtime - days * 86400 - 3600
        os.utime(path, (then, then))
        return path

    def test_command(self):
        words = self.record(OPTIONS="--vm web-* --label 'x").stdout.splitlines()
        self.assertEqual(words[:2], ["record", "--db"])
        self.assertRegex(words[2], rf"\A{self.top}/data/\d{{4}}-\d\d-\d\d\.sqlite\Z")
        self.assertEqual(words[3:6], ["--keep-raw", "10m", "--duration"])
        self.assertTrue(0 < int(words[6].rstrip("s")) <= 86400)
        self.assertEqual(words[7:], ["--vm", "web-*", "--label", "'x"])

    def test_patterns_stay(self):
        (self.top / "data/web-1").touch()
        self.assertIn("web-*", self.record(OPTIONS="--vm web-*").stdout.splitlines())

    def test_retention(self):
        gone = [self.old("2026-01-02.sqlite", 14), self.old("2026-01-02.sqlite-wal", 14)]
        stay = [self.old("2026-01-03.sqlite", 13), self.old("mine.sqlite", 900),
                self.old("2026-01-02.html", 900)]
        self.assertEqual(self.record().returncode, 0)
        self.assertEqual([path.exists() for path in gone + stay], [False] * 2 + [True] * 3)
        self.record(KEEP_DAYS="12")
        self.assertFalse(stay[0].exists())

    def test_bad_settings(self):
        path = self.old("2026-01-02.sqlite", 900)
        # 0 would remove the database of the day; the shell reads 08 as octal.
        for bad in ("x", "-1", "1 -o -true", "0", "08", "100000"):
            done = self.record(KEEP_DAYS=bad)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, rf"\Arecord-days: KEEP_DAYS={bad}: [^\n]+\n\Z")
        done = run(self.top / "libexec/exitscope/record-days", env={"PATH": os.environ["PATH"]})
        self.assertEqual(done.returncode, 1)
        self.assertTrue(path.exists())

    def test_unit(self):
        text = (ROOT / "usr/lib/systemd/system/exitscope-record@.service").read_text()
        self.assertIn("ExecStart=/usr/libexec/exitscope/record-days\n", text)
        self.assertIn("StateDirectory=exitscope/%i\n", text)
        for name in ("KEEP_DAYS", "KEEP_RAW", "OPTIONS"):
            self.assertRegex(text, rf"(?m)^Environment={name}=")
        page = run("zcat", ROOT / "usr/share/man/man1/exitscope.1.gz").stdout
        defaults = dict(re.findall(r"^Environment=(KEEP_\w+)=(\w+)", text, re.M))
        for name, value in defaults.items():
            self.assertRegex(page, rf"\.It Ev {name}\n[^.]*\({value}\)")

    def unit(self):
        """A copy for systemd-analyze, which checks that the program exists."""
        text = (ROOT / "usr/lib/systemd/system/exitscope-record@.service").read_text()
        path = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "exitscope-record@.service"
        path.write_text(text.replace("/usr/libexec", f"{ROOT}/usr/libexec"))
        return path

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is missing")
    def test_systemd_knows_every_setting(self):
        done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", self.unit())
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is missing")
    def test_rights_are_few(self):
        """By systemd's own measure, 0 to 10, which says "ok" up to 5; without settings it is 9.6."""
        done = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=36",
                   self.unit())
        self.assertEqual(done.returncode, 0, done.stdout[-200:])

    def test_rights_are_enough(self):
        """Settings that would take away what the collector needs; package/README.md has the reasons."""
        text = (ROOT / "usr/lib/systemd/system/exitscope-record@.service").read_text()
        for name in ("PrivateDevices", "ProtectKernelTunables", "ProtectProc", "ProcSubset", "User",
                     "DynamicUser", "PrivateUsers", "PrivatePIDs", "ProtectClock"):
            self.assertNotRegex(text, rf"(?m)^{name}=")
        kept = set(re.search(r"(?m)^CapabilityBoundingSet=(.*)", text)[1].split())
        self.assertEqual(kept, {"CAP_SYS_ADMIN", "CAP_SYS_RAWIO", "CAP_SYS_PTRACE",
                                "CAP_DAC_READ_SEARCH"})
        calls = re.search(r"(?m)^SystemCallFilter=(.*)", text)[1].split()
        self.assertLessEqual({"@system-service", "bpf", "perf_event_open"}, set(calls))
        devices = dict(re.findall(r"(?m)^DeviceAllow=(\S+) (\w+)", text))
        self.assertEqual(devices["char-misc"], "rw")
        self.assertGreater(int(re.search(r"(?m)^LimitNOFILE=(\d+)", text)[1]), 4096)


if __name__ == "__main__":
    for deb_name, folder in ("exitscope", ROOT), ("exitscope-dkms", DKMS_ROOT):
        subprocess.run(["dpkg-deb", "-x", deb(deb_name), folder], check=True)
    unittest.main(argv=sys.argv[:1])
