# SPDX-License-Identifier: GPL-2.0-only
"""Cases of what can happen to a collector of running guests: it is killed or stopped at a random
instant, its folder is deleted, its disk is full. `testbed/test --seed N` repeats the instants."""

import dataclasses
import random
import re

from . import checks, xcheck_cases
from .case import Case
from .checks import expect, expect_equal

KILLS = 20
LEFT = "a collector that was killed stores nothing more"
SECONDS = 1800  # on a loaded host TCG takes long to start 20 collectors

# What is not stored yet when a collector is killed: 200 ms of --flush, and its own time to store
# them. Bochs' time is instructions, 200 million in a second, of which the guest takes half: a kill
# lost 2,019 ms where a recording of a second took 3,120 ms from its start to its end. The limit is
# that time, if it is longer than this. TCG's time is the host's, and a busy host stops the whole
# machine for a while: there it is as long as two whole recordings of a second, or 5 s.
MOST_LOST_MS = {"bochs": 2000, "tcg": 5000}

# A guest that exits until `kill $guest`; and how long a recording of a second takes, with all that
# comes before and after. `nap N`: N thousandths of that time.
GUEST = """\
. /bed/functions
exit_loop --op {op} --count 4000000000 >guest.txt 2>&1 & guest=$!
wait_for_vcpus $guest 1 || exit 1
hundredths() {{ cut -d' ' -f1 /proc/uptime | tr -d .; }}
begin=$(hundredths)
collector --db whole.sqlite --duration 1s || exit 1
whole=$(($(hundredths) - begin))
echo "whole=${{whole}}0 ms"
nap() {{ sleep $(($1 * whole / 100000)).$(printf %02d $(($1 * whole / 1000 % 100))); }}
"""


def instants(setup, name, number, longest=1300):
    """For nap, from 20 to longest; the same for the same seed."""
    chance = random.Random(f"{setup.seed} {setup} {name}")
    return [chance.randint(20, longest) for _ in range(number)]


def guest(op):
    return GUEST.format(op=op)


def limits_ms(outcome):
    """(of what a kill may lose, of the time until a collector has stored its first records)."""
    whole = int(re.search(r"^whole=(\d+) ms$", outcome.log, re.MULTILINE).group(1))
    most = MOST_LOST_MS[outcome.setup.machine]
    recordings = 1 if outcome.setup.machine == "bochs" else 2
    return max(most, recordings * whole), max(most, 2 * whole)


# SIGKILL


@dataclasses.dataclass
class Kill:
    """TSC before a collector was started, before SIGKILL, and after its end."""

    start: int
    sent: int
    ended: int


def kills_of(outcome):
    lines = (outcome.folder / "kills").read_text().splitlines()
    return [Kill(*map(int, line.split())) for line in lines]


def killed_collectors(database, times, options=("",)):
    """Shell: collectors one after the other, each killed after its time; file kills has the TSCs.

    options: of the collectors, in turn.
    """
    starts = []
    for number, time in enumerate(times):
        starts.append(f"collector {options[number % len(options)]} --db {database} "
                      f"--duration 600s 2>>killed.txt & nap {time}")
    return "\n".join(f"""\
start=$(tsc)
{start}
sent=$(tsc)
kill -9 $!
wait $!
echo "$start $sent $(tsc)" >>kills""" for start in starts)


def _ms(recording, cycles):
    return cycles / recording.one("SELECT max(tsc_khz) FROM run")


def runs_of(recording):
    return recording.all("SELECT id, state, tsc_start FROM run ORDER BY id")


def _ends(recording, run):
    """(first TSC, end of the last exit) of each vCPU that has records in the run."""
    return [(row[0], row[1]) for row in recording.all(
        "SELECT min(tsc), max(tsc + cycles) FROM exits WHERE run = ? GROUP BY vcpu", run)]


def lost_ms(recording, kill, run):
    """From the end of the last exit that is stored to the end of the collector, of the vCPU for
    which it is longest; without a record from the collector's start on."""
    ends = _ends(recording, run["id"]) if run else []
    for _, end in ends:
        expect(end <= kill.ended, f"run {run['id']}: an exit of after the collector's end")
    return _ms(recording, kill.ended - min((end for _, end in ends), default=kill.start))


def _run_of(runs, kill):
    """The run that the collector made before it was killed; None: it was not that far."""
    found = [run for run in runs if kill.start <= run["tsc_start"] <= kill.ended]
    expect(len(found) < 2, f"{len(found)} runs of one collector")
    return found[0] if found else None


def nothing_twice(recording):
    """No exit of a vCPU is in two runs, and each run goes on after the one before."""
    twice = recording.one("SELECT count(*) - count(DISTINCT vcpu_id || ' ' || tsc) FROM exits")
    expect_equal("exits that are stored twice", twice, 0)
    back = recording.all("""
        SELECT run, vcpu_id FROM (
          SELECT run, vcpu_id, min(seq) AS first, min(tsc) AS start,
                 lag(max(seq)) OVER later AS last, lag(max(tsc + cycles)) OVER later AS stop
          FROM exits GROUP BY run, vcpu_id
          WINDOW later AS (PARTITION BY vcpu_id ORDER BY run))
        WHERE first <= last OR start < stop""")
    expect(not back, f"runs that overlap with the one before: {[tuple(row) for row in back]}")


def verified(outcome, recording, name="run.sqlite"):
    """analyzer verify has nothing unexplained in any run that has exits."""
    runs = [row[0] for row in recording.all("SELECT DISTINCT run FROM exits ORDER BY run")]
    number = 0
    for run in runs:
        equations, _ = xcheck_cases.verify(outcome.folder / name, run)
        number += len(equations)
    outcome.see(f"{number} equations in {len(runs)} runs")


def _from_to(times_ms):
    """In words: how many, and from where to where."""
    times_ms = sorted(times_ms)
    if not times_ms:
        return "none"
    return (f"{len(times_ms)}, {times_ms[0]:.0f} to {times_ms[-1]:.0f} ms, median "
            f"{times_ms[len(times_ms) // 2]:.0f}")


def bounded(outcome, recording, kills):
    """How much of the end is lost by each kill, and how soon each collector had records: a kill
    before that loses nothing but the time since the collector's start.
    Returns how many collectors had stored something."""
    runs = runs_of(recording)
    lost, unstored, first = [], [], []
    for kill in kills:
        run = _run_of(runs, kill)
        if run:
            expect_equal(f"state of run {run['id']}", run["state"], "interrupted")
        ends = _ends(recording, run["id"]) if run else []
        (lost if ends else unstored).append(lost_ms(recording, kill, run))
        if ends:
            first.append(_ms(recording, min(ends)[0] - kill.start))

    most, most_of_start = limits_ms(outcome)
    seen = (f"lost by a kill: {_from_to(lost)} (limit {most}); killed before anything was stored: "
            f"{_from_to(unstored)} after the start (limit {most_of_start}); first record after "
            f"the start: {_from_to(first)}")
    outcome.see(f"seed {outcome.setup.seed}: {len(kills)} kills; {seen}")
    expect(max(lost, default=0) <= most and
           max(unstored + first, default=0) <= most_of_start, seen)
    return len(lost)


def _check_killed(outcome):
    outcome.ended_well()
    recording = outcome.database()
    kills = kills_of(outcome)
    expect_equal("kills", len(kills), KILLS)
    expect_equal("state of the last run", runs_of(recording)[-1]["state"], "complete")
    outcome.see(checks.is_sound(recording))
    checks.in_sequence(recording, from_creation=False)
    nothing_twice(recording)
    expect(bounded(outcome, recording, kills), "no collector has stored anything")
    verified(outcome, recording)
    outcome.says("instances left: 0")


def killed_at_random(setup):
    """SIGKILL at random instants, of 20 collectors into one file, the next one at once."""
    name = f"fault: {KILLS} collectors killed at random instants"
    script = guest("cpuid") + killed_collectors(
        "run.sqlite", instants(setup, name, KILLS), ("", "--cross-check")) + """
collector --cross-check --db run.sqlite --duration 1s
status=$?
echo "instances left: $(ls /sys/kernel/tracing/instances | wc -l)"
kill $guest
exit $status
"""
    return Case(name, script, _check_killed, unrecorded=LEFT, seconds=SECONDS)


# SIGKILL while another collector records


def _check_other(outcome):
    outcome.ended_well()
    other, recording = outcome.database("other.sqlite"), outcome.database()
    expect_equal("state of the other", other.one("SELECT state FROM runs"), "complete")
    expect_equal("lost by the other", other.one("SELECT sum(dropped) FROM coverage"), 0)
    checks.is_sound(other)
    outcome.see(checks.is_sound(recording))
    nothing_twice(recording)
    bounded(outcome, recording, kills_of(outcome))

    compared = 0
    for row in recording.all("SELECT run, vcpu_id, min(tsc) AS start, max(tsc + cycles) AS stop, "
                             "count(*) AS n FROM exits GROUP BY run, vcpu_id"):
        number = other.one("SELECT count(*) FROM exits WHERE vcpu_id = ? AND tsc BETWEEN ? AND ?",
                           row["vcpu_id"], row["start"], row["stop"])
        expect_equal(f"exits that the other has in the time of run {row['run']}", number, row["n"])
        compared += number
    outcome.see(f"the other collector has the same {compared} exits")


def killed_near_another(setup):
    """Collectors of the ring are killed while one of the tracepoints records the same guest."""
    name = "fault: collectors killed, another goes on"
    script = guest("out --sleep-us 200") + """\
collector --source tracefs --db other.sqlite --duration 600s & other=$!
wait_until [ -s other.sqlite ] || exit 1
sleep 1
""" + killed_collectors("run.sqlite", instants(setup, name, 5, 2500)) + """
collector --db run.sqlite --duration 1s || exit 1
kill -INT $other
wait $other || exit 1
kill $guest
"""
    return Case(name, script, _check_other, unrecorded=LEFT, seconds=SECONDS)


# SIGSTOP and SIGCONT

STOPS = 10


def _check_stopped(outcome):
    recording = outcome.recording
    outcome.see(checks.is_sound(recording))
    checks.in_sequence(recording)
    outcome.accounts_for_sum()
    expect_equal("stops", len(re.findall("^stopped$", outcome.log, re.MULTILINE)), STOPS)
    equations, _ = xcheck_cases.verify(outcome.folder / "run.sqlite")
    outcome.see(xcheck_cases.has_equations(equations, ("records", "match")))
    dropped = outcome.sum("dropped")
    expect(dropped > 0, "the rings were never full")
    outcome.see(f"seed {outcome.setup.seed}: {STOPS} times stopped, {dropped} exits dropped")


def stopped(setup):
    """A collector that stands still again and again: what the rings could not keep is counted."""
    name = "fault: collector stopped and continued"
    times = [f"{time / 1000:.3f}" for time in instants(setup, name, 2 * STOPS, 800)]
    stops = "\n".join(f"sleep {runs}; kill -STOP $collector && echo stopped; "
                      f"sleep {stands}; kill -CONT $collector"
                      for runs, stands in zip(times[::2], times[1::2]))
    script = f"""\
. /bed/functions
collector --cross-check --db run.sqlite -- sh -c 'touch begun; while [ ! -e enough ]; do
	exit_loop --op cpuid --count 20000 --vcpus {setup.cpus} || exit 1; done' & collector=$!
wait_until [ -e begun ] || exit 1
{stops}
touch enough
wait $collector
"""
    return Case(name, script, _check_stopped, params={"ring_records": "128"})


# The folder is deleted; the disk is full


def _one_line(outcome):
    """What the collector said, which has ended with status 1."""
    text = (outcome.folder / "err.txt").read_text(errors="replace")
    expect_equal("exit status", (outcome.folder / "code").read_text().strip(), "1")
    expect_equal(f"lines on stderr ({text.strip()})", len(text.splitlines()), 1)
    outcome.see(text.strip())
    return text


def _next_records(outcome):
    expect_equal("state of the next", outcome.database("next.sqlite").one(
        "SELECT state FROM runs"), "complete")
    expect(outcome.database("next.sqlite").one("SELECT count(*) FROM exits") > 100,
           "the next collector has recorded almost nothing")


def _check_deleted(outcome):
    outcome.ended_well()
    text = _one_line(outcome)
    expect("it was deleted during the recording (all is in " in text, "it does not say so")
    recording = outcome.database("saved.sqlite")
    expect_equal("state of the copy", recording.one("SELECT state FROM runs"), "complete")
    outcome.see(checks.is_sound(recording))
    checks.in_sequence(recording, from_creation=False)
    verified(outcome, recording, "saved.sqlite")
    _next_records(outcome)


def folder_deleted(setup):
    """The folder of the database is deleted: status 1, all is in a copy, and the next one
    records."""
    name = "fault: the database's folder is deleted"
    script = guest("cpuid") + f"""\
mkdir gone
collector --source ring --db gone/run.sqlite --duration 600s 2>err.txt & collector=$!
wait_until [ -s gone/run.sqlite ] || exit 1
nap {instants(setup, name, 1)[0]}
rm -r gone
nap 200
kill -INT $collector
wait $collector
echo $? >code
mv run.sqlite.saved-* saved.sqlite || exit 1
collector --db next.sqlite --duration 1s
status=$?
kill $guest
exit $status
"""
    return Case(name, script, _check_deleted, unrecorded=LEFT)


def _check_full_disk(outcome):
    outcome.ended_well()
    text = _one_line(outcome)
    recording = outcome.database()
    outcome.see(checks.is_sound(recording))
    checks.in_sequence(recording, from_creation=False)
    rows = recording.one("SELECT count(*) FROM exits")
    expect(rows > 1000, f"only {rows} records are kept")
    kept = re.search(r"; (\d+) records up to the last flush stay", text)
    expect(kept, "it does not say how many records stay")
    expect_equal("records that stay", int(kept.group(1)), rows)
    verified(outcome, recording)
    _next_records(outcome)


def disk_full(setup):
    """The disk fills up: status 1, what was flushed stays, and the next one records."""
    name = "fault: the disk is full"
    mib = random.Random(f"{setup.seed} {setup} {name}").randint(2, 8)
    script = guest("cpuid") + f"""\
mkdir small
mount -t tmpfs -o size={mib}m none small || exit 1
collector --source ring --db small/run.sqlite --duration 600s 2>err.txt
echo $? >code
cp small/run.sqlite* . && umount small || exit 1
collector --db next.sqlite --duration 1s
status=$?
kill $guest
exit $status
"""
    return Case(name, script, _check_full_disk, unrecorded=LEFT)


def full(setup):
    """Faults of the collector's surroundings: no kernel knows of them."""
    if not setup.has_all_cases:
        return []
    return [killed_at_random(setup), killed_near_another(setup), stopped(setup),
            folder_deleted(setup), disk_full(setup)]
