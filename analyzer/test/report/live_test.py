#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""live_test.py ANALYZER LIVE_DB: `analyzer live` beside a writer, in a terminal
of tmux and without one. The terminal must be as before on every way out.
"""
import contextlib
import csv
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

ANALYZER, LIVE_DB = (os.path.abspath(p) for p in sys.argv[1:3])
PATIENCE_S = 30
LOOK_S = 20  # KEEP_S of analyzer/live/data.c, in seconds of the recording


def duration_s(path):
    """Length of the first run up to now, in its own seconds."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute("SELECT duration_ns FROM runs WHERE run = 1").fetchone()[0] / 1e9


def wait_for(what, condition, patience_s=PATIENCE_S):
    """Poll until condition() is true; its value."""
    end = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience_s} s in vain: {what}")
        time.sleep(0.05)


class Writer:
    """A recording in progress."""

    def __init__(self, path, vms=1):
        self.process = subprocess.Popen([LIVE_DB, path, str(vms)])
        wait_for("the database", lambda: subprocess.run([ANALYZER, "--db", path, "top-exits"], stdout=subprocess.DEVNULL,
                                                        stderr=subprocess.DEVNULL).returncode == 0)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


class Terminal:
    """A shell in a terminal of a tmux server of its own."""

    def __init__(self, folder, columns=110, rows=24):
        self.socket = os.path.join(folder, "tmux")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                  "env", "-i", "TERM=screen", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "PS1=READY$ ", "sh")
        wait_for("a prompt", lambda: "READY$" in self.text())

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-u", "-S", self.socket, *arguments], check=True, stdout=subprocess.PIPE,
                              timeout=PATIENCE_S).stdout.decode()

    def text(self):
        return self.tmux("capture-pane", "-p")

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def state(self):
        return self.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").strip()

    def settings(self):
        """All of stty -a, from the shell in it."""
        self.type("clear; stty -a; echo DO''NE", "Enter")
        return wait_for("stty", lambda: re.search(r"^(speed.*?)^DONE", self.text(), re.M | re.S)).group(1)

    def close(self):
        self.tmux("kill-server")


def names(screen):
    return re.findall(r"^([A-Z_]+(?: FAILED_VMENTRY)?) +[\d,.]+", screen, re.M)


def lines_of(block):
    """The rows of a block's table."""
    lines = block.split("\n")
    titles, = [i for i, line in enumerate(lines) if re.match(r"(REASON|VM) +EXITS/S", line)]
    return lines[titles + 1:]


def table(block):
    return [re.split(r"  +", line) for line in lines_of(block)]


class LiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="live", dir="/tmp")  # short: a socket's path
        cls.database = os.path.join(cls.folder, "run.sqlite")
        cls.writer = Writer(cls.database)
        cls.terminal = Terminal(cls.folder)
        cls.before = cls.terminal.settings()

    @classmethod
    def tearDownClass(cls):
        cls.terminal.close()
        cls.writer.end()
        shutil.rmtree(cls.folder)

    def start(self, *options):
        self.terminal.type(" ".join(["clear;", ANALYZER, "--db", self.database, "live", *options,
                                     "; echo STATUS $?"]), "Enter")
        return self.shown()

    def shown(self):
        return wait_for("a drawn screen", lambda: self.terminal.state() == "1 0" and "q quit" in self.terminal.text()
                        and len(names(self.terminal.text())) > 2 and self.terminal.text())

    def restored(self, status):
        """Back at the shell, the terminal as it was."""
        text = wait_for("the shell", lambda: "STATUS" in self.terminal.text() and self.terminal.text())
        self.assertIn(f"STATUS {status}\n", text)
        self.assertEqual(self.terminal.state(), "0 1")
        self.assertEqual(self.terminal.settings(), self.before)

    def pid(self):
        return int(subprocess.run(["pgrep", "-f", f"^{ANALYZER} --db {self.database} live"], check=True,
                                  stdout=subprocess.PIPE).stdout.split()[0])

    def test_shows_and_quits(self):
        screen = self.start("--interval", "200ms")
        self.assertIn("recording", screen)
        self.assertRegex(screen, r"exits, [\d,.]+/s")
        self.assertRegex(screen, r"dropped [\d,]+[ ;]")
        total = re.search(r"^([\d,]+) (?:recorded )?exits", screen, re.M).group(1)
        wait_for("more exits", lambda: total not in self.terminal.text())
        self.terminal.type("q")
        self.restored(0)

    def test_sort(self):
        self.start("--interval", "200ms")
        self.terminal.type("n")
        by_name = wait_for("order by name", lambda: "(by name)" in self.terminal.text() and self.terminal.text())
        self.assertEqual(names(by_name), sorted(names(by_name)))
        self.terminal.type("e")
        wait_for("order by exits", lambda: "(by exits)" in self.terminal.text())
        self.assertEqual(names(self.terminal.text())[0], "IO_INSTRUCTION")
        self.terminal.type("q")
        self.restored(0)

    def test_freeze(self):
        self.start("--interval", "100ms")
        self.terminal.type("f")
        frozen = wait_for("FROZEN", lambda: "FROZEN" in self.terminal.text() and self.terminal.text())
        time.sleep(1)
        self.assertEqual(self.terminal.text(), frozen)
        self.terminal.type("n")  # sorting still works, on the same numbers
        wait_for("order by name", lambda: "(by name)" in self.terminal.text())
        self.assertEqual(sorted(re.findall(r"^[A-Z_]+ .*", self.terminal.text(), re.M)),
                         sorted(re.findall(r"^[A-Z_]+ .*", frozen, re.M)))
        self.terminal.type("f")
        thawed = wait_for("thaw", lambda: "FROZEN" not in self.terminal.text() and self.terminal.text())
        wait_for("new numbers", lambda: thawed.split("\n")[1] not in self.terminal.text())
        self.terminal.type("q")
        self.restored(0)

    def test_resize(self):
        self.start("--interval", "100s")
        for columns, rows in ((50, 10), (140, 30), (30, 5), (110, 24)):
            self.terminal.tmux("resize-window", "-x", str(columns), "-y", str(rows))
            wait_for(f"{columns} x {rows}", lambda: self.fits(columns, rows))
        self.terminal.type("q")
        self.restored(0)

    def fits(self, columns, rows):
        lines = self.terminal.text().rstrip("\n").split("\n")
        return (len(lines) == rows and lines[-1].startswith("q quit"[:columns]) and lines[0].startswith("run ")
                and all(len(line) <= columns for line in lines))

    def test_no_escape_sequences_from_the_database(self):
        screen = self.start()
        self.assertIn('"in ?[31mprogress"', screen)
        self.terminal.type("q")
        self.restored(0)

    def test_interrupt(self):
        self.start()
        self.terminal.type("C-c")
        self.restored(0)

    def test_signals(self):
        for number, status in ((signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGSEGV, 139), (signal.SIGABRT, 134)):
            self.start()
            os.kill(self.pid(), number)
            self.restored(status)

    def test_stop_and_go_on(self):
        self.start("--interval", "200ms")
        self.terminal.type("C-z")
        wait_for("the shell", lambda: self.terminal.state() == "0 1")
        self.terminal.type("fg", "Enter")
        self.shown()
        self.terminal.type("q")
        wait_for("the shell", lambda: self.terminal.state() == "0 1")
        self.assertEqual(self.terminal.settings(), self.before)

    def test_database_breaks(self):
        """An error while it runs gives the terminal back and then says what it was."""
        path = os.path.join(self.folder, "broken.sqlite")
        with sqlite3.connect(self.database) as source, sqlite3.connect(path) as copy:
            source.backup(copy)
        self.terminal.type(" ".join(["clear;", ANALYZER, "--db", path, "live --interval 100ms; echo STATUS $?"]), "Enter")
        self.shown()
        with sqlite3.connect(path) as broken:
            broken.execute("DROP TABLE vcpu")
        text = wait_for("the shell", lambda: "STATUS" in self.terminal.text() and self.terminal.text())
        self.assertIn("STATUS 1\n", text)
        self.assertIn("no such table", text.replace("\n", ""))
        self.assertEqual(self.terminal.settings(), self.before)

    def test_plain(self):
        """Without a terminal: blocks of text, no escape sequences."""
        done = subprocess.run([ANALYZER, "--db", self.database, "live", "--interval", "1s", "--count", "3"],
                              check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
        text = done.stdout.decode()
        self.assertEqual(text.count("run 1 "), 3)
        self.assertEqual(text.count("REASON "), 3)
        self.assertEqual(re.findall(r"^EXITS: since start; EXITS/S, SHARE, TIME/VCPU: (since the start|last)", text, re.M),
                         ["since the start", "last", "last"])
        self.assertNotIn("\033", text.replace("in \033[31mprogress", ""))
        totals = [int(t.replace(",", "")) for t in re.findall(r"^([\d,]+) (?:recorded )?exits,", text, re.M)]
        self.assertEqual(totals, sorted(totals))
        self.assertGreater(totals[-1], totals[0])
        rows = table(text.strip().split("\n\n")[-1])
        self.assertAlmostEqual(sum(float(r[2].split()[0]) for r in rows), 100, delta=1)

    def test_ends_with_the_recording(self):
        """And its last sums are those of top-exits, exits that came late included."""
        path = os.path.join(self.folder, "short.sqlite")
        writer = Writer(path)
        live = subprocess.Popen([ANALYZER, "--db", path, "live", "--interval", "100ms"], stdout=subprocess.PIPE)
        some = [subprocess.Popen([ANALYZER, "--db", path, "live", "--interval", "300ms", *words], stdout=subprocess.PIPE)
                for words in (["--reason", "IO_INSTRUCTION"], ["--by", "vm"])]
        self.assertIn(b"recording", live.stdout.readline())
        wait_for("a recording longer than what is read at each look",
                 lambda: duration_s(path) > 2 * LOOK_S, 4 * PATIENCE_S)
        self.assertEqual(writer.end(), 0)
        text = live.communicate(timeout=PATIENCE_S)[0].decode()
        self.assertEqual(live.returncode, 0)
        last = text.strip().split("\n\n")[-1]
        self.assertRegex(last, r"complete, [\d.]+ (s|min)")
        rows = {line.split("  ")[0]: re.split(r"  +", line)[3] for line in lines_of(last)}
        top = subprocess.run([ANALYZER, "--db", path, "top-exits", "--format", "csv"], check=True,
                             stdout=subprocess.PIPE).stdout.decode()
        self.assertEqual(rows, {r.split(",")[1]: f"{int(r.split(',')[2]):,}" for r in top.strip().split("\n")[1:]})

        # The same with a filter, and by VM: its states add up to all of its time.
        by_reason, by_vm = (process.communicate(timeout=PATIENCE_S)[0].decode().strip().split("\n\n") for process in some)
        line, = lines_of(by_reason[-1])
        self.assertEqual(re.split(r"  +", line)[3], rows["IO_INSTRUCTION"])
        self.assertIn("filter: --reason IO_INSTRUCTION", by_reason[-1])
        cells = [re.split(r"  +", block.split("\n")[-1]) for block in by_vm]
        recorded = sum(int(count.replace(",", "")) for count in rows.values())
        self.assertEqual(cells[-1][3], f"{recorded:,}")
        # "-" where nothing was recorded since the snapshot before. A busy host has few snapshots.
        shares = [sum(float(cell.strip("<>% ")) for cell in row[4:9]) for row in cells if row[4] != "-"]
        self.assertTrue(shares)
        for share in shares:
            self.assertAlmostEqual(share, 100, delta=1)

    def test_follows_a_new_run(self):
        path = os.path.join(self.folder, "two.sqlite")
        writer = Writer(path)
        live = subprocess.Popen([ANALYZER, "--db", path, "live", "--interval", "50ms", "--count", "60"],
                                stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.assertIn(b"run 1 ", live.stdout.readline())
        writer.process.send_signal(signal.SIGUSR1)
        text = live.communicate(timeout=PATIENCE_S)[0].decode()
        writer.end()
        # It ends with run 1, or has gone on with run 2 from its beginning.
        blocks = text.split("\n\n")[1:-1]
        for before, block in zip(blocks, blocks[1:]):
            if block.startswith("run 2 ") and before.startswith("run 1 "):
                self.assertIn("on average", block)
        self.assertTrue("complete" in text or "run 2 " in text)

    def test_bad_options(self):
        for options, complaint in ((["--interval", "0"], "--interval 0"), (["--count", "x"], "--count x"),
                                   (["--sort", "what"], "--sort"), (["--by", "vcpu"], "--by"),
                                   (["--by", "vm", "--reason", "HLT"], "use one of them"), (["--vm", "none"], "--vm none"), (["--run", "77"], "no run 77"),
                                   (["--format", "csv"], "only with --log"), (["--log", "--plain"], "use one of them"),
                                   (["--log", "--columns", "exits"], "only with --format csv"),
                                   (["--log", "--format", "csv", "--columns", "x"], "none of time, run,")):
            done = subprocess.run([ANALYZER, "--db", self.database, "live", *options], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))
            self.assertIn(complaint, done.stderr)


class PagesTest(unittest.TestCase):
    """A recording of three VMs, of which the last page has one."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="live", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder)
        self.database = os.path.join(self.folder, "run.sqlite")
        self.writer = Writer(self.database, 3)
        self.addCleanup(self.writer.end)
        self.terminal = Terminal(self.folder, columns=80)
        self.addCleanup(self.terminal.close)

    def page(self, key, pattern):
        """The page that a key opens: it has a line like that."""
        self.terminal.type(key)
        return wait_for(f"{key}: {pattern}", lambda: re.search(pattern, self.terminal.text(), re.M)
                        and self.terminal.text())

    def start(self, *options):
        self.terminal.type(" ".join(["clear;", ANALYZER, "--db", self.database, "live", "--interval", "200ms", *options,
                                     "; echo STATUS $?"]), "Enter")

    def end(self, status):
        self.terminal.type("q")
        wait_for("the shell", lambda: f"STATUS {status}\n" in self.terminal.text())

    def test_pages(self):
        self.start()
        wait_for("the VMs", lambda: "VMs: web-1, web-2, web-3" in self.terminal.text())
        screen = self.page("a", r"^web-3 ")
        self.assertEqual([row[0] for row in table(screen) if row[0].startswith("web")], ["web-1", "web-2", "web-3"])
        for key, name in (("v", "web-1"), ("v", "web-2"), ("v", "web-3"), ("V", "web-2")):
            screen = self.page(key, rf"^VM {name}$")
            self.assertIn("; 1 vCPU\n", screen)
            self.assertRegex(screen, r"\nguest [\d.]+ %, handler [\d.]+ %, userspace .*halted .*waiting")
            self.assertIn("IO_INSTRUCTION ", screen)
        self.page("v", "^VM web-3$")
        self.page("v", "; 3 vCPUs$")
        self.assertTrue(all(len(line) <= 80 for line in self.terminal.text().split("\n")))
        self.end(0)

    def test_a_recording_that_has_ended(self):
        """Its page stays that of the whole recording: there is no last second of it."""
        path = os.path.join(self.folder, "ended.sqlite")
        writer = Writer(path, 12)
        wait_for("some seconds", lambda: duration_s(path) > 5)
        self.assertEqual(writer.end(), 0)
        self.terminal.type(" ".join(["clear;", ANALYZER, "--db", path, "live", "--interval", "100ms", "; echo STATUS $?"]),
                           "Enter")
        clock = wait_for("a screen", lambda: re.search(r"complete, .* (\d\d:\d\d:\d\d)", self.terminal.text())).group(1)
        later = wait_for("another second", lambda: clock not in self.terminal.text() and "q quit" in self.terminal.text()
                         and self.terminal.text())
        self.assertRegex(later, r"\d/s on average; ")
        self.assertIn("TIME/VCPU: since the start", later)
        self.assertNotRegex(later, r"(?m)^IO_INSTRUCTION +0 ")

        self.terminal.type("a")
        screen = wait_for("the VMs", lambda: re.search(r"(?m)^web-12 ", self.terminal.text()) and self.terminal.text())
        self.terminal.type("n")
        screen = wait_for("names", lambda: "(by name)" in self.terminal.text() and self.terminal.text())
        self.assertEqual([row[0] for row in table(screen) if row[0].startswith("web")], [f"web-{n}" for n in range(1, 13)])
        self.terminal.type("q")
        wait_for("the shell", lambda: "STATUS 0\n" in self.terminal.text())

    def test_turned_back(self):
        """A page that is turned back to at once goes on with its interval."""
        self.start("--interval", "100s")
        wait_for("the VMs", lambda: "VMs: web-1, web-2, web-3" in self.terminal.text())
        for key, name in (("v", "web-1"), ("v", "web-2"), ("V", "web-1"), ("v", "web-2")):
            screen = self.page(key, rf"^VM {name}$")
            self.assertRegex(screen, r"\nguest [\d.]+ %, handler ")
            self.assertRegex(screen, r"\nEXITS: since start; .*: since the start; latencies: 10 s\n")
        self.end(0)

    def test_pages_of_the_vms_asked_for(self):
        self.start("--vm", "web-2,web-3")
        wait_for("the filter", lambda: "filter: --vm web-2,web-3" in self.terminal.text())
        self.page("v", "^VM web-2$")
        self.page("v", "^VM web-3$")
        self.page("v", "; 2 vCPUs$")
        self.end(0)

    def test_collector_killed(self):
        self.start()
        wait_for("the VMs", lambda: "VMs: web-1" in self.terminal.text())
        self.writer.end(signal.SIGKILL)
        wait_for("the notice", lambda: "interrupted (its collector is gone)" in self.terminal.text())
        self.end(1)
        self.assertIn("its collector is gone (killed", self.terminal.text().replace("\n", ""))


class LogTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.database = os.path.join(self.folder, "run.sqlite")
        self.writer = Writer(self.database, 2)
        self.addCleanup(self.writer.process.kill)

    def log(self, *options, **how):
        return subprocess.Popen([ANALYZER, "--db", self.database, "live", "--log", "--interval", "100ms", *options],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)

    def finish(self, process):
        out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err

    def test_json_lines_add_up(self):
        log = self.log("--format", "json")
        first = json.loads(log.stdout.readline())
        for _ in range(3):
            log.stdout.readline()
        self.assertEqual(self.writer.end(), 0)
        status, out, err = self.finish(log)
        self.assertEqual((status, err), (0, ""))
        last = json.loads(out.strip().split("\n")[-1])
        self.assertEqual((first["state"], last["state"], last["run"]), ("recording", "complete", 1))
        self.assertRegex(first["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            self.assertEqual(last["exits"], database.execute("SELECT sum(recorded) FROM vcpu").fetchone()[0])
        for line in (first, last):
            self.assertIsNone(line["polled"])
            if line["guest"] is not None:
                self.assertAlmostEqual(sum(line[part] for part in ("guest", "handler", "userspace", "halted", "waiting", "unknown")), 1)

    def test_states_of_a_reason(self):
        """Its exits' parts are known. The rest of the time is not the guest's alone."""
        log = self.log("--format", "json", "--by", "reason")
        lines = [json.loads(log.stdout.readline()) for _ in range(8)]
        self.assertEqual(self.writer.end(), 0)
        self.assertEqual(self.finish(log)[0], 0)
        known = [line for line in lines if line["handler"] is not None]
        self.assertTrue(known)
        for line in known:
            self.assertIsNone(line["guest"])
            self.assertGreater(line["handler"], 0)

    def test_csv_by_vm(self):
        log = self.log("--format", "csv", "--by", "vm", "--count", "3")
        status, out, err = self.finish(log)
        self.assertEqual((status, err), (0, ""))
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(len(rows), 6)  # titles once, a row per VM and interval
        self.assertEqual({row["vm"] for row in rows}, {"web-1", "web-2"})
        self.assertGreater(int(rows[-1]["exits"]), int(rows[0]["exits"]))
        # The first line is of an interval too, not of all that was before.
        self.assertLess(int(rows[0]["interval_ns"]), int(rows[0]["length_ns"]))

    def test_text(self):
        status, out, err = self.finish(self.log("--count", "22"))
        self.assertEqual((status, err), (0, ""))
        lines = out.strip("\n").split("\n")
        self.assertEqual((len(lines), lines[0]), (24, lines[21]))
        self.assertRegex(lines[0], r"^ +TIME +LENGTH +EXITS/S DROPPED GUEST HANDL +USER +POLL +HALT +WAIT +P99/10S MOST TIME$")
        self.assertRegex(lines[1], r"^\d\d:\d\d:\d\d +[\d.]+ \w+ .* ([A-Z_]+|-)$")
        self.assertNotIn("\033", out)

    def test_collector_killed(self):
        for words in (["--log"], ["--log", "--format", "json"], ["--log", "--format", "csv"], ["--plain"]):
            with self.subTest(words=words):
                path = os.path.join(self.folder, "killed.sqlite")
                writer = Writer(path)
                live = subprocess.Popen([ANALYZER, "--db", path, "live", "--interval", "50ms", *words], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                live.stdout.readline()
                writer.end(signal.SIGKILL)
                status, out, err = self.finish(live)
                self.assertEqual((status, err.count("\n")), (1, 1), err)
                self.assertIn("run 1 is cut off after ", err)
                self.assertIn("interrupted", out)
                os.unlink(path)

    def test_file_replaced(self):
        log = self.log()
        log.stdout.readline()
        os.rename(self.database, self.database + ".old")
        status, _, err = self.finish(log)
        self.assertEqual((status, err.count("\n")), (1, 1), err)
        self.assertIn("the file was deleted, moved or replaced", err)

    def test_reader_goes_away(self):
        """As with `| head -1`: the signal ends it; where that is ignored, the error does."""
        for ignored, status in ((False, -signal.SIGPIPE), (True, 1)):
            for words in ((), ("--format", "csv"), ("--format", "json")):
                log = self.log(*words, restore_signals=not ignored)
                log.stdout.readline()
                log.stdout.close()
                self.assertEqual(log.wait(PATIENCE_S), status)
                self.assertEqual(log.stderr.read(), "analyzer: standard output: Broken pipe\n" if ignored else "")
                log.stderr.close()

    def test_signals_end_it(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            log = self.log("--format", "json")
            log.stdout.readline()
            log.send_signal(number)
            status, out, err = self.finish(log)
            self.assertEqual((status, err), (0, ""))
            for line in out.strip().split("\n"):
                self.assertTrue(not line or json.loads(line))


if __name__ == "__main__":
    if not shutil.which("tmux"):
        sys.exit("live_test: no tmux here (apt-get install tmux)")
    unittest.main(argv=sys.argv[:1], verbosity=2)
