#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""man_test.py ANALYZER.1 COLLECTOR.1 ANALYZER COLLECTOR CAPTURE: the man pages.

mandoc finds no fault, the options are those of the programs, and every example
works on the boot of a guest that was recorded.
"""
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

PAGES = dict(zip(("analyzer", "collector"), (os.path.abspath(p) for p in sys.argv[1:3])))
PROGRAMS = dict(zip(("analyzer", "collector"), (os.path.abspath(p) for p in sys.argv[3:5])))
CAPTURE = os.path.abspath(sys.argv[5])

# What only a host with our modules or a trace has: it must get as far as this.
NEEDS = {
    "collector --db": "/dev/kvm_exit_ring",
    "collector --source tracefs": "tracefs",
    "collector import": "perf.data",
}


def rendered(name):
    return subprocess.run(["mandoc", "-Tascii", "-Owidth=200", PAGES[name]], check=True,
                          stdout=subprocess.PIPE).stdout.decode().replace("\b", "\0")


def plain(name):
    """The page as people see it, without overstriking."""
    return re.sub(r".\0", "", rendered(name))


class ManTest(unittest.TestCase):
    def test_lint(self):
        for page in PAGES.values():
            done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_commands(self):
        usage = subprocess.run([PROGRAMS["analyzer"], "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
        commands = [c for c in re.findall(r"^  ([a-z][a-z-]*) ", usage, re.M) if c != "analyzer"]
        self.assertGreater(len(commands), 12)
        sections = plain("analyzer").split("\nCOMMANDS\n")[1].split("\nFILES\n")[0]
        self.assertEqual(re.findall(r"^   ([a-z-]+)\b", sections, re.M), commands)
        for command in commands:
            text = subprocess.run([PROGRAMS["analyzer"], command, "--help"], check=True, stdout=subprocess.PIPE,
                                  text=True).stdout
            mine = re.split(r"\n   [a-z]", re.split(rf"^   {command}\b", sections, flags=re.M)[1])[0]
            for option in re.findall(r"^  (--[a-z0-9-]+)", text.split("\nOptions:\n")[1], re.M):
                self.assertTrue(option == "--db" or option in mine, f"{command} {option}")

    def test_default_limits(self):
        """What the help calls the default of --limit is what a command does without it."""
        folder, environment = self.folder()
        page = plain("analyzer")
        for command in ("list", "slowest", "sequences", "states", "symbols System.map", "timeline",
                        "top-exits --by rip"):
            name = command.split()[0]

            def run(*words):
                return subprocess.run(["analyzer", *command.split(), *words], cwd=folder, env=environment, check=True,
                                      stdout=subprocess.PIPE, text=True).stdout

            text = re.search(r"--limit N .*; default: (.*)", run("--help"))[1]
            self.assertIn(f"--limit (default: {text})", re.sub(r"\s+", " ", page))
            with self.subTest(command):
                self.assertEqual(run(), run("--limit", re.search(r"\d+$", text)[0]))
                if name != "states":  # of one vCPU
                    self.assertNotEqual(run(), run("--limit", "1"))

    def test_collector_options(self):
        usage = subprocess.run([PROGRAMS["collector"], "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
        page = plain("collector")
        in_help = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", usage))
        in_page = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", page))
        self.assertGreater(len(in_help), 12)
        self.assertEqual(in_help, in_page)

    def examples(self, name):
        found = re.findall(rf"^ {{11}}({name} .*)$", plain(name), re.M)
        return list(dict.fromkeys(found))

    def folder(self):
        """A folder with the files that examples name."""
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        bin_folder = os.path.join(folder, "bin")
        os.mkdir(bin_folder)
        for name, program in PROGRAMS.items():
            os.symlink(program, os.path.join(bin_folder, name))
        shutil.copy(CAPTURE, os.path.join(folder, "boot.cap.gz"))
        for label in ("boot", "ept", "shadow"):
            subprocess.run([PROGRAMS["collector"], "--from", "boot.cap.gz", "--db", "run.sqlite", "--label", label],
                           check=True, cwd=folder, stderr=subprocess.DEVNULL)
        with sqlite3.connect(os.path.join(folder, "run.sqlite")) as db:
            db.execute("INSERT OR IGNORE INTO vmx_capability SELECT id, 0, 0x480, 0xda0400000010, 1 FROM run")
        for copy in ("boot.sqlite", "before.sqlite", "after.sqlite"):
            shutil.copy(os.path.join(folder, "run.sqlite"), os.path.join(folder, copy))
        with open(os.path.join(folder, "System.map"), "w", encoding="ascii") as file:
            file.write("".join(f"{0xffffffff81000000 + 0x1000 * i:016x} T function_{i}\n" for i in range(16384)))
        with open(os.path.join(folder, "iomem"), "w", encoding="ascii") as file:
            file.write("00000000-00000fff : Reserved\n00001000-0fffffff : System RAM\n")
        shutil.copy(PROGRAMS["analyzer"], os.path.join(folder, "vmlinux"))
        with open(os.open(os.path.join(folder, "login"), os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write("pusher\nsecret\n")
        return folder, dict(os.environ, PATH=bin_folder + ":/usr/bin:/bin")

    def test_analyzer_examples(self):
        folder, environment = self.folder()
        examples = self.examples("analyzer")
        self.assertGreater(len(examples), 25)
        for example in examples:
            # There is no such server: they must get as far as asking it, once.
            remote = re.match(r"analyzer (push|fleet) ", example)
            words = example + (" --give-up 0s" if remote and remote.group(1) == "push" else "")
            words = words.replace(":8123", ":1")  # a ClickHouse may listen on this machine
            with self.subTest(example=example):
                done = subprocess.run(["sh", "-c", words], cwd=folder, env=environment, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=60)
                if remote and done.returncode:
                    self.assertRegex(done.stderr, r"(?m)\Aanalyzer: https?://.*$")
                    continue
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout or re.search(r"--(html|output) ", example))
        for made in re.findall(r"--(?:html|output) (\S+)", "\n".join(examples)):
            self.assertGreater(os.path.getsize(os.path.join(folder, made)), 1000)

    def test_collector_examples(self):
        folder, environment = self.folder()
        examples = self.examples("collector")
        self.assertGreater(len(examples), 4)
        if os.path.exists("/dev/kvm_exit_ring"):
            self.skipTest("this host has the device: the examples would record it")
        for example in examples:
            needs = [word for start, word in NEEDS.items() if example.startswith(start)]
            # This host may be able to record: no longer than it takes to see that.
            words = re.sub(r"--duration \S+", "--duration 1s", example)
            with self.subTest(example=example):
                done = subprocess.run(["sh", "-c", words], cwd=folder, env=environment, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=60)
                if not needs:
                    self.assertEqual(done.returncode, 0, done.stderr)
                elif done.returncode == 0:  # this host has what it needs
                    self.assertRegex(done.stderr, r"\d+ records")
                else:
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertIn(needs[0], done.stderr)


if __name__ == "__main__":
    if not shutil.which("mandoc"):
        sys.exit("man_test: no mandoc here (apt-get install mandoc)")
    unittest.main(argv=sys.argv[:1], verbosity=2)
