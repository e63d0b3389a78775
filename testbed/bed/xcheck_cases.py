# SPDX-License-Identifier: GPL-2.0-only
"""Cases of the cross-check: all sources see the same exits, or the difference is explained."""

import collections
import functools
import json
import shutil
import subprocess

from . import ROOT
from .case import KVM_COUNTS_THEM, Case, case
from .checks import VMX, expect, expect_equal
from .loops import ops_of

ANALYZER = ROOT / "bazel-bin" / "analyzer" / "analyzer"
COLLECTOR = ROOT / "bazel-bin" / "collector" / "collector"
SOURCES = ("records", "reasons", "cycles", "losses", "store", "tracefs", "match", "open", "time",
           "entries", "steps", "perf_exit", "perf_entry", "kvm_stat", "kvm_stat_run", "cpu",
           "cpu_fields")
CROSS_CHECK = "collector --cross-check --db run.sqlite "


def verify(database, run=None):
    """What analyzer verify says of a run, or of the last one: ({name: equation}, all of it);
    raises Wrong if anything is unexplained."""
    which = ["--run", str(run)] if run else []
    result = subprocess.run([ANALYZER, "--db", database, "verify", *which, "--format", "json"],
                            capture_output=True, text=True, check=False)
    found = json.loads(result.stdout or "{}")
    bad = [f"{c['equation']} reason {c['reason']}: {c['left']} / {c['right']} {c['why']}"
           for c in found.get("checks", ()) if c["unexplained"]]
    expect(not bad and not result.returncode, "; ".join(bad) or result.stderr.strip())
    return {e["equation"]: e for e in found["equations"]}, found


def has_equations(equations, expected):
    missing = [name for name in expected if name not in equations]
    expect(not missing, f"not compared: {', '.join(missing)}")
    return f"{len(equations)} equations, {equations['match']['right_sum']} exits matched one by one"


def lost_events(found):
    """A trace buffer far too small: lost events are counted and explained."""
    untraced = [c for c in found["checks"]
                if c["equation"] == "match" and "events were lost" in c["why"]]
    expect(untraced, "no event was lost")
    return f"{sum(c['left'] - c['right'] for c in untraced)} exits whose events were lost"


def reentries(found):
    """Entries that a fastpath makes by itself, where KVM neither traces nor counts them."""
    why = [c["why"] for c in found["checks"]
           if c["equation"] == "entries" and "by a fastpath" in c["why"]]
    return "; ".join(why) or "every entry is traced"


def synthesized(found):
    """A guest state that no VM entry takes: exits that KVM makes up."""
    equation = [e for e in found["equations"] if e["equation"] == "synthesized"]
    expect(equation and equation[0]["right_sum"] > 0, "no exit was synthesized")
    return f"{equation[0]['right_sum']} synthesized exits"


def _check_agreement(outcome, expected, also):
    outcome.ended_well()
    equations, found = verify(outcome.folder / "run.sqlite")
    outcome.see(has_equations(equations, expected))
    if also:
        outcome.see(also(found))


def agree(name, command, options="", expected=SOURCES, also=None):
    """Every source agrees on the exits of command. also(found): more to be seen."""
    return Case(name, f"{CROSS_CHECK} {options} -- {command}",
                functools.partial(_check_agreement, expected=expected, also=also))


@case("all sources and all leaves, Linux boots",
      f"{CROSS_CHECK} -- vmm --append leaf_reasons=all /l2/bzImage /l2/initramfs",
      one_cpu=True)
def leaves_of_linux(outcome):
    """A Linux guest reads all four leaves for all reasons; each equals the records up to it."""
    database = outcome.folder / "leaves.sqlite"
    shutil.copy(outcome.folder / "run.sqlite", database)
    result = subprocess.run([COLLECTOR, "import", outcome.folder / "log", "--db", database],
                            capture_output=True, text=True, check=False)
    expect(not result.returncode, result.stderr.strip())

    equations, _ = verify(database)
    outcome.see(has_equations(equations, SOURCES + ("leaf",)))
    outcome.see(f"{equations['leaf']['equal']} leaf readings equal")


@case("all sources, a running guest", f"""\
. /bed/functions
exit_loop --op cpuid --count 4000000000 >/dev/null &
guest=$!
wait_for_vcpus $guest 1 || exit 1
{CROSS_CHECK} --duration 1s
status=$?
kill $guest
exit $status
""", unrecorded="the collector has left the guest while it ran")
def attached(outcome):
    """To a guest that runs already, and leaves it while it runs: both edges are known."""
    outcome.ended_well()
    equations, _ = verify(outcome.folder / "run.sqlite")
    # Not those that take every exit of the vCPU, or every record.
    outcome.see(has_equations(equations, [name for name in SOURCES if name not in
                                          ("kvm_stat_run", "cycles", "cpu", "cpu_fields")]))
    unread = outcome.database().one("SELECT sum(unread) FROM coverage")
    expect(unread > 0, "the guest did not run before")
    outcome.see(f"{unread} exits before")


@case("all sources, killed VMs", """\
. /bed/functions
for number in 1 2 3; do
	rm -f pid
	collector --cross-check --db $number.sqlite -- sh -c \
		'echo $$ >pid; exec exit_loop --op out --count 1000000 --sleep-us 10000' &
	collector=$!
	wait_until test -s pid || exit 1
	wait_for_vcpus "$(cat pid)" 1 || exit 1
	kill -9 "$(cat pid)"
	wait $collector
	[ $? = 137 ] || exit 1
done
""")
def killed(outcome):
    """SIGKILL of an idle VMM: KVM's statistic is held and read, and yet the vCPU has ended."""
    outcome.ended_well()
    for number in (1, 2, 3):
        database = f"{number}.sqlite"
        expect_equal("vCPUs that have ended",
                     outcome.database(database).one("SELECT sum(ended) FROM vcpu"), 1)
        equations, _ = verify(outcome.folder / database)
        outcome.see(has_equations(equations, SOURCES))


@case("--source tracefs",
      "collector --source tracefs --db run.sqlite -- exit_loop --op cpuid --count 1000",
      unrecorded=KVM_COUNTS_THEM)
def tracefs_alone(outcome):
    """--source tracefs: the same counts from the tracepoints alone."""
    recording = outcome.database()
    reason = 10 if outcome.setup.isa == VMX else 0x72
    expect_equal("has_split", recording.one("SELECT has_split FROM runs"), 0)
    expect_equal("dropped", recording.one("SELECT sum(dropped) FROM coverage"), 0)
    got = recording.one("SELECT count(*) FROM exits WHERE basic_reason = ?", reason)
    expect_equal("CPUID exits", got, 1000)
    outcome.see(f"{got} CPUID exits")


KEYS = 50


def _with_keys(recording):
    return recording.all("SELECT tsc, tsc + cycles AS end, reason_name, key_text FROM exits "
                         "WHERE cycles > 0 ORDER BY tsc")


def _check_keys(outcome, ops):
    """Each exit of the tracepoints is one of the ring's, and has that one's sub-key."""
    recording = outcome.database()
    expect_equal("source", recording.one("SELECT source FROM runs"), "tracefs")
    of_ring = iter(_with_keys(outcome.database("ring.sqlite")))
    record = next(of_ring)
    keys = collections.Counter()
    for row in _with_keys(recording):
        while record["end"] < row["tsc"]:
            record = next(of_ring)
        expect(record["tsc"] <= row["tsc"], f"the ring has no exit at {row['tsc']}")
        name = row["reason_name"]
        expect_equal(f"sub-key of {name} at {row['tsc']}", row["key_text"], record["key_text"])
        keys[name] += row["key_text"] is not None
    outcome.see("the ring's sub-keys: " + ", ".join(f"{n} of {name}" for name, n in keys.items()))
    # An exit code of SVM may be about a CR by itself.
    expect(sum(keys.values()) > KEYS * (len(ops) - 1), "exits of loops have none")


def tracefs_keys(setup):
    """--source tracefs: the sub-keys of the ring, from kvm_msr, kvm_cpuid and the like."""
    ops = [op for op in ops_of(setup) if op not in ("hlt", "rdtsc")]
    loops = " && ".join(f"exit_loop --op {op} --count {KEYS}" for op in ops)
    return Case("--source tracefs, sub-keys",
                "collector --source tracefs --db run.sqlite -- "
                f"collector --source ring --db ring.sqlite -- sh -c '{loops}'",
                functools.partial(_check_keys, ops=ops))


def quick(setup):
    return [agree("all sources agree", "exit_loop --op out --count 2000 --sleep-us 500"),
            agree("all sources, tiny trace buffer", "exit_loop --op cpuid --count 10000",
                  "--trace-buffer 8", also=lost_events),
            tracefs_alone, tracefs_keys(setup)]


def full(setup):
    cases = [agree("all sources, 3 vCPUs", "exit_loop --op out --count 1000 --vcpus 3"), attached,
             killed, leaves_of_linux]
    if setup.isa == VMX:
        cases.append(agree("all sources, fastpaths",
                           "exit_loop --op tsc_deadline --count 1000 --irqchip", also=reentries))
    if setup.isa == VMX and not setup.nested_paging:
        # KVM traces no synthesized exit: nothing to match, no step; the CPU has made none.
        expected = [name for name in SOURCES if name not in ("tracefs", "time", "steps", "cpu")]
        cases.append(agree("all sources, synthesized exits",
                           "exit_loop --mode unreal --op cpuid --count 1000",
                           expected=expected + ["synthesized"],
                           also=synthesized))
    return cases
