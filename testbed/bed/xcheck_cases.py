# SPDX-License-Identifier: GPL-2.0-only
"""Cases of the cross-check: all sources see the same exits, or the difference is explained."""

import json
import shutil
import subprocess

from . import ROOT, checks
from .checks import VMX, expect, expect_equal
from .witness import KVM_COUNTS_THEM

ANALYZER = ROOT / "bazel-bin" / "analyzer" / "analyzer"
COLLECTOR = ROOT / "bazel-bin" / "collector" / "collector"
SOURCES = ("records", "reasons", "cycles", "losses", "store", "tracefs", "match", "open", "time",
           "entries", "perf_exit", "perf_entry", "kvm_stat", "kvm_stat_run")


def verify(database):
    """What analyzer verify says, by equation; raises Wrong if anything is unexplained."""
    result = subprocess.run([ANALYZER, "--db", database, "verify", "--format", "json"],
                            capture_output=True, text=True, check=False)
    found = json.loads(result.stdout or "{}")
    bad = [f"{c['equation']} reason {c['reason']}: {c['left']} / {c['right']} {c['why']}"
           for c in found.get("checks", ()) if c["unexplained"]]
    expect(not bad and not result.returncode, "; ".join(bad) or result.stderr.strip())
    return {e["equation"]: e for e in found["equations"]}, found


def has_equations(equations, wanted):
    missing = [name for name in wanted if name not in equations]
    expect(not missing, f"not compared: {', '.join(missing)}")
    return f"{len(equations)} equations, {equations['match']['right_sum']} exits matched one by one"


def agree(case, name, command, options="", wanted=SOURCES, also=None, before=""):
    """Every source agrees on the exits of @command. also(found): more to be seen."""
    def check(folder, setup):
        expect_equal("exit status", (folder / "status").read_text().strip(), "0")
        equations, found = verify(folder / "run.sqlite")
        yield has_equations(equations, wanted)
        if also:
            yield also(found)
    return case(name, f"collector --cross-check {options} --db run.sqlite -- {command}", check,
                before)


def lost_events(found):
    """A trace buffer far too small: lost events are counted and explained."""
    untraced = [c for c in found["checks"]
                if c["equation"] == "match" and "events were lost" in c["why"]]
    expect(untraced, "no event was lost")
    return f"{sum(c['left'] - c['right'] for c in untraced)} exits whose events were lost"


def synthesized(found):
    """A guest state that no VM entry takes: exits that KVM makes up."""
    equation = [e for e in found["equations"] if e["equation"] == "synthesized"]
    expect(equation and equation[0]["right_sum"] > 0, "no exit was synthesized")
    return f"{equation[0]['right_sum']} synthesized exits"


def leaves_of_linux(case):
    """A Linux guest reads all four leaves for all reasons; each equals the records up to it."""
    def check(folder, setup):
        database = folder / "leaves.sqlite"
        shutil.copy(folder / "run.sqlite", database)
        result = subprocess.run([COLLECTOR, "import", folder / "log", "--db", database],
                                capture_output=True, text=True, check=False)
        expect(not result.returncode, result.stderr.strip())
        equations, _ = verify(database)
        yield has_equations(equations, SOURCES + ("leaf",))
        yield f"{equations['leaf']['equal']} leaf readings equal"
    return case("all sources and all leaves, Linux boots",
                "collector --cross-check --db run.sqlite -- "
                "vmm --append leaf_reasons=all /l2/bzImage /l2/initramfs", check)


def attached(case):
    """To a guest that runs already, and leaves it while it runs: both edges are known."""
    def check(folder, setup):
        expect_equal("exit status", (folder / "status").read_text().strip(), "0")
        equations, _ = verify(folder / "run.sqlite")
        # Not those that want every exit of the vCPU, or every record.
        yield has_equations(equations, [name for name in SOURCES
                                        if name not in ("kvm_stat_run", "cycles")])
        unread = checks.Recording(folder / "run.sqlite").one("SELECT sum(unread) FROM coverage")
        expect(unread > 0, "the guest did not run before")
        yield f"{unread} exits before"
    return case("all sources, a running guest",
                "exit_loop --op cpuid --count 4000000000 >/dev/null & guest=$!; sleep 1; "
                "collector --cross-check --db run.sqlite --duration 1s; status=$?; "
                "kill $guest; exit $status", check,
                unrecorded="the collector has left the guest while it ran")


def tracefs_alone(case):
    """--source tracefs: the same counts from the tracepoints alone."""
    def check(folder, setup):
        recording = checks.Recording(folder / "run.sqlite")
        reason = 10 if setup.isa == VMX else 0x72
        expect_equal("has_split", recording.one("SELECT has_split FROM runs"), 0)
        expect_equal("dropped", recording.one("SELECT sum(dropped) FROM coverage"), 0)
        got = recording.one("SELECT count(*) FROM exits WHERE basic_reason = ?", reason)
        expect_equal("CPUID exits", got, 1000)
        yield f"{got} CPUID exits"
    return case("--source tracefs", "collector --source tracefs --db run.sqlite -- "
                "exit_loop --op cpuid --count 1000", check, unrecorded=KVM_COUNTS_THEM)


def quick(case, setup):
    return [agree(case, "all sources agree",
                  "exit_loop --op out --count 2000 --sleep-us 500"),
            agree(case, "all sources, tiny trace buffer", "exit_loop --op cpuid --count 10000",
                  "--trace-buffer 8", also=lost_events),
            tracefs_alone(case)]


def full(case, setup):
    cases = [agree(case, "all sources, 3 vCPUs", "exit_loop --op out --count 1000 --vcpus 3"),
             # On a loaded host, with most records dropped, a few edges of this one can
             # still stay unexplained.
             attached(case), leaves_of_linux(case)]
    if setup.isa == VMX and not setup.nested_paging:
        cases.append(agree(case, "all sources, synthesized exits",
                           "exit_loop --mode unreal --op cpuid --count 1000",
                           # KVM traces none of them, so there is nothing to match.
                           wanted=[name for name in SOURCES if name not in ("tracefs", "time")]
                           + ["synthesized"], also=synthesized))
    return cases
