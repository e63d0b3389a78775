# SPDX-License-Identifier: GPL-2.0-only
"""Runs the cases of one machine in one boot and judges them."""

import pathlib
import shlex
import sqlite3
import subprocess
import sys
import threading
import time

from . import ROOT, BedError, witness
from .case import Outcome
from .checks import Wrong
from .kernel import default_series

WITNESS = "witness.bin"
GUEST_KERNEL = default_series()  # of L2, where L1 has a kernel of no series
# Below kvm/test
PROGRAMS = ("device/device_test", "device/hooks_test", "device/host_test", "device/hostile_reader",
            "device/memory_test", "device/poll_test", "device/smp_test", "device/time_test",
            "records/field_test", "records/record_test")

SCRIPT_HEAD = """\
#!/bin/sh
# Made by testbed/test: each case in a folder and a process group of its own.
where_it_hangs() {
	echo "still running after $case_seconds s:"
	for process in /proc/[0-9]*; do
		[ "$(cut -d' ' -f5 "$process/stat" 2>/dev/null)" = "$1" ] || continue
		for thread in "$process"/task/*; do
			echo "$(cat "$thread/comm") $(cut -d' ' -f3,14,15 "$thread/stat"):" \\
				$(cat "$thread/stack")
		done
	done
}

# run_case NUMBER SECONDS SCRIPT
run_case() {
	export case_seconds=$2
	mkdir "/out/$1"
	cd "/out/$1"
	tsc >begin
	setsid sh -c "$3" >log 2>&1 &
	group=$!
	(
		trap 'kill $!; exit' TERM
		sleep $case_seconds &
		wait $!
		where_it_hangs $group >>log
		kill -TERM -$group # vmm prints where its guest stands
		sleep 5
		kill -9 -$group
	) &
	watchdog=$!
	wait $group
	echo $? >status
	kill $watchdog 2>/dev/null
	wait $watchdog 2>/dev/null
	echo "@@stage case $1 has run"
}
"""


def l1_script(cases, slow):
    lines = [SCRIPT_HEAD]
    loaded = None
    for number, case in enumerate(cases):
        lines += [case.prepare(loaded),
                  f"run_case {number} {case.seconds * slow} {shlex.quote(case.script)}"]
        loaded = case.params
    return "\n".join(lines + ["exit 0", ""])


class Report:
    """Prints results as they come, of several machines at once, and counts them."""

    def __init__(self):
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self._lock = threading.Lock()

    def add(self, result, setup, name, detail="", log=()):
        with self._lock:
            self.counts[result] += 1
        self._print("FAILED" if result == "failed" else result, setup, name, detail, log)

    def begin(self, setup, cases):
        """A machine shows nothing until its last case has run."""
        self._print("begins", setup, f"{len(cases)} cases")

    def _print(self, word, setup, name, detail="", log=()):
        lines = [f"{word:8} {str(setup):24} {name:32} {detail}".rstrip(),
                 *("    " + line for line in log)]
        with self._lock:
            print("\n".join(lines), flush=True)

    def close(self):
        print(", ".join(f"{number} {word}" for word, number in self.counts.items()), flush=True)
        return 1 if self.counts["failed"] or not self.counts["passed"] else 0


def boot(setup, cases, directory, options):
    """Runs the cases in L1; None, or why the machine failed."""
    script = directory / "tests.sh"
    script.write_text(l1_script(cases, options.slow))
    command = [ROOT / "testbed" / "run", "--machine", setup.machine, "--kernel", setup.kernel,
               "--cpus", str(setup.cpus), "--modules", setup.modules or options.modules,
               "--vendor-params", setup.vendor_params,
               "--add", options.collector, "--add", f"{script}:/bed/tests.sh",
               "--out", directory / "out", "--witness", directory / WITNESS,
               "--log", directory / "kernel.log",
               "--memory", str(options.memory),
               "--time-limit", str(options.time_limit * options.slow)]
    if options.kernel:
        command += ["--guest-kernel", GUEST_KERNEL]
    for program in PROGRAMS:
        command += ["--add", ROOT / "bazel-bin/kvm/test" / program]
    command += sorted({option for case in cases for option in case.machine})
    command += [] if options.verbose else ["--quiet"]
    result = subprocess.run([*map(str, command), "--", "sh", "/bed/tests.sh"], text=True,
                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            stdout=sys.stderr)
    if options.verbose or result.returncode:
        print(result.stderr, end="", file=sys.stderr)
    if result.returncode:
        return (result.stderr.strip() or "no output").splitlines()[-1]
    return None


def testify(case, number, boot_witness):
    """(what the CPU says of the case, None), or (None, how it differs)."""
    try:
        return boot_witness.of_case(case, number), None
    except (Wrong, BedError) as wrong:
        return None, wrong


def judge(setup, case, number, boot_witness, folder, report):
    outcome = Outcome(folder, setup, case.params)
    try:
        if not (folder / "status").is_file():
            raise Wrong("did not run")
        # First, because analyzer verify shows the CPU's counts; but the case's own check says best
        # what is wrong.
        testimony, difference = testify(case, number, boot_witness)
        case.check(outcome)
        if difference:
            raise difference
    except (Wrong, BedError, sqlite3.Error) as wrong:
        log = folder / "log"
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        report.add("failed", setup, case.name, str(wrong), lines[-8:])
        return
    report.add("passed", setup, case.name, "; ".join([*outcome.seen, testimony]))


def judge_boot(setup, boot_witness, seconds, report):
    """The CPU's exits since power-on."""
    try:
        report.add("passed", setup, "the CPU's exits since power-on",
                   f"{boot_witness.of_boot()}; the machine ran for {seconds:.0f} s")
    except Wrong as wrong:
        report.add("failed", setup, "the CPU's exits since power-on", str(wrong))


def run(setup, cases, directory, options, report):
    directory.mkdir(parents=True)
    report.begin(setup, cases)
    start = time.monotonic()
    failure = boot(setup, cases, directory, options)
    seconds = time.monotonic() - start
    if failure:
        report.add("failed", setup, "the machine", failure)

    folders = [pathlib.Path(directory, "out", str(number)) for number in range(len(cases))]
    boot_witness = witness.Boot(directory / WITNESS, folders)
    for number, (case, folder) in enumerate(zip(cases, folders)):
        if failure and not folder.is_dir():
            report.add("skipped", setup, case.name, "the machine failed")
        else:
            judge(setup, case, number, boot_witness, folder, report)
    if not failure:
        judge_boot(setup, boot_witness, seconds, report)
