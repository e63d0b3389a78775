# SPDX-License-Identifier: GPL-2.0-only
"""Cases of --source bpf on the stock modules: every exit that KVM counts has a full record."""

import dataclasses
import functools
import json
import re
import subprocess

from .. import cases, checks, many_cases, qemu_cases, xcheck_cases
from ..case import KVM_COUNTS_THEM, Case, case
from ..checks import VMX, expect, expect_equal
from ..kernel import Kernel
from ..loops import exits_of, ops_of

COLLECT = "collector --source bpf --db run.sqlite "
RECORD = COLLECT + "-- "

# What the equations of analyzer verify need apart from the recording.
VERIFIED = ("records", "reasons", "cycles", "losses", "store")

# Why the CPU makes exits here that no recording has.
LEFT_RUNNING = "the guest runs before the collector comes, or after it has left"
NO_RING = "some vCPUs have no ring"


def verified(outcome):
    """analyzer verify finds nothing unexplained in the recording's own counts."""
    equations, _ = xcheck_cases.verify(outcome.folder / "run.sqlite")
    # Where records were dropped, their cycles can't be compared with the totals.
    expected = [name for name in VERIFIED if name != "cycles" or not outcome.sum("dropped")]
    missing = [name for name in expected if name not in equations]
    expect(not missing, f"not compared: {', '.join(missing)}")
    outcome.see("verified")


def complete(outcome):
    """A recording that has every exit of KVM's statistic."""
    expect_equal("source", outcome.recording.one("SELECT source FROM runs"), "bpf")
    outcome.sound()
    outcome.no_drops()
    verified(outcome)


def complete_of(outcome, vms):
    """The same of several VMs, whose vCPUs have the same numbers."""
    outcome.see(checks.is_sound(outcome.recording))
    outcome.see(checks.in_sequence(outcome.recording))
    expect_equal("VMs", outcome.recording.one("SELECT count(*) FROM vms"), vms)
    outcome.accounts_for_sum()
    outcome.no_drops()
    verified(outcome)


def _check_loop(outcome, op, expected):
    complete(outcome)
    outcome.counts(exits_of(op, outcome.setup), expected)


def loop(op, count, *options, vcpus=1, record=RECORD):
    """count times op on each vCPU: as many records of its reason and sub-key."""
    arguments = ["exit_loop", "--op", op, "--count", str(count), *options]
    if vcpus > 1:
        arguments += ["--vcpus", str(vcpus)]
    expected = 0 if op == "rdtsc" else count * vcpus  # RDTSC does not exit
    return Case("bpf: " + " ".join(arguments[2:]), record + " ".join(arguments),
                functools.partial(_check_loop, op=op, expected=expected))


def _check_loops(outcome, ops):
    expect_equal("source", outcome.recording.one("SELECT source FROM runs"), "bpf")
    complete_of(outcome, len(ops))
    vms = outcome.recording.all("SELECT vm FROM vms ORDER BY vm")
    for (vm,), op in zip(vms, ops):
        outcome.counts(f"{exits_of(op, outcome.setup)} AND vm = {vm}", 0 if op == "rdtsc" else 100)


def loops(ops):
    """A VM for each op, one after the other: to load the programs takes longer than all of them."""
    commands = " && ".join(f"exit_loop --op {op} --count 100" for op in ops)
    return Case(f"bpf: {len(ops)} loops", f"{RECORD}sh -c '{commands}'",
                functools.partial(_check_loops, ops=ops))


@case("bpf: chosen by itself", "collector --db run.sqlite -- exit_loop --op cpuid --count 50")
def chosen(outcome):
    """Without --source: the best that a host with stock modules has, and why."""
    expect_equal("source", outcome.recording.one("SELECT source FROM runs"), "bpf")
    outcome.says("collector: records come from bpf (not ring: no /dev/kvm_exit_ring")
    outcome.counts(exits_of("cpuid", outcome.setup), 50)


@case("bpf: Linux boots as L2", RECORD + "vmm /l2/bzImage /l2/initramfs", one_cpu=True)
def linux(outcome):
    """Linux boots as L2."""
    outcome.says("L2 done")
    complete(outcome)


def with_bpf(of_ring):
    """A case of the exit ring, recorded by BPF instead."""
    script = of_ring.script.replace("collector --db", "collector --source bpf --db")
    return dataclasses.replace(of_ring, name="bpf: " + of_ring.name, script=script)


@case("bpf: a running VM", f"""\
. /bed/functions
exit_loop --op cpuid --count 4000000000 >/dev/null &
guest=$!
wait_for_vcpus $guest 1 || exit 1
{COLLECT} --duration 1s
status=$?
kill $guest
exit $status
""", unrecorded=LEFT_RUNNING)
def attached(outcome):
    """To a VM that runs already, and leaves it while it runs."""
    recording = outcome.recording
    outcome.see(checks.is_sound(recording))
    outcome.see(checks.in_sequence(recording, from_creation=False))
    number = recording.one(f"SELECT count(*) FROM exits WHERE {exits_of('cpuid', outcome.setup)}")
    expect(number > 100, f"only {number} records")
    expect_equal("open exits", outcome.sum("open_exits"), 1)
    verified(outcome)


# The collector stands still for a while, and the guest goes on.
@case("bpf: ring of 1024, reader asleep",
      "collector --source bpf --ring-records 1024 --db run.sqlite -- "
      "sh -c 'kill -STOP $PPID; exit_loop --op cpuid --count 5000; kill -CONT $PPID'")
def overflow(outcome):
    """A ring far too small: what is lost is counted, and the totals are exact."""
    outcome.sound()
    dropped = outcome.sum("dropped")
    expect(dropped > 0, "nothing was dropped")
    outcome.see(f"{dropped} dropped")
    verified(outcome)


COUNT_ONLY = "collector --source bpf --counts-only --db run.sqlite "


def counted(outcome):
    """Sums and histograms of every exit, and no record."""
    recording = outcome.recording
    expect_equal("records", recording.one("SELECT count(*) FROM exits"), 0)
    exits = recording.one("SELECT sum(exits) FROM rollups")
    expect_equal("recorded by the vCPUs", outcome.sum("recorded"), exits)
    for part in ("total", "handler"):
        number = recording.one("SELECT sum(n) FROM histograms WHERE part = ?", part)
        expect_equal(f"exits in histograms, {part}", number, exits)
    # Shortest and longest are the limits of their buckets.
    expect_equal("reasons with a mean outside of their limits",
                 recording.one("SELECT count(*) FROM top_exits WHERE mean_ns NOT BETWEEN "
                               "min_ns AND max_ns + 1"), 0)
    expect_equal("says so", recording.one("SELECT n FROM crosschecks WHERE source = 'bpf' AND "
                                          "name = 'histograms'"), 1)
    verified(outcome)
    outcome.see(f"{exits} exits counted")


SLEEP_US = 20000


@case("bpf: --counts-only", f"{COUNT_ONLY}-- exit_loop --op out --count 200 --sleep-us {SLEEP_US}",
      unrecorded=KVM_COUNTS_THEM)
def counts_only(outcome):
    """--counts-only: all exits with their durations, second by second."""
    counted(outcome)
    outcome.no_drops()
    outcome.accounts_for()
    out = f"basic_reason = {30 if outcome.setup.isa == VMX else 0x7b}"
    recording = outcome.recording
    expect(recording.one(f"SELECT to_user FROM top_exits WHERE {out}") >= 200, "of user space")
    expect(recording.one(f"SELECT count(DISTINCT slot) FROM rollups WHERE {out}") >= 3, "seconds")

    # The VMM sleeps with each of them; the handler does not.
    middle = "SELECT middle_ns FROM histograms WHERE part = ? AND " + out + " ORDER BY n DESC"
    total, handler = (recording.one(middle, part) for part in ("total", "handler"))
    expect(total >= SLEEP_US * 900 > handler * 2, f"most of {total} ns, handler {handler} ns")

    result = subprocess.run([xcheck_cases.ANALYZER, "--db", outcome.folder / "run.sqlite",
                             "latency", "--format", "json"],
                            capture_output=True, text=True, check=False)
    expect_equal(f"analyzer latency: {result.stderr}", result.returncode, 0)
    answer = json.loads(result.stdout)
    expect(answer["run"]["counts_only"], "it does not say what its percentiles are from")
    most = max(answer["rows"], key=lambda row: row["exits"])
    expect(most["p50_ns"] >= SLEEP_US * 900, f"P50 of {most}")


@case("bpf: --counts-only, running VMs", f"""\
. /bed/functions
exit_loop --op cpuid --count 4000000000 --vcpus 2 >/dev/null &
guest=$!
wait_for_vcpus $guest 2 || exit 1
{COUNT_ONLY} --duration 3s
status=$?
kill $guest
exit $status
""", unrecorded=LEFT_RUNNING)
def counts_running(outcome):
    """vCPUs that do nothing but exit while their sums are read, and go on afterwards."""
    counted(outcome)
    expect_equal("open exits", outcome.sum("open_exits"), 2)
    expect_equal("vCPUs that have ended", outcome.sum("ended"), 0)


@case("bpf: --counts-only --listen", "collector --source bpf --counts-only --listen 127.0.0.1:9925 -- "
      f"sh -c 'exit_loop --op out --count 300; {cases.SCRAPE}'", unrecorded=KVM_COUNTS_THEM)
def counts_scraped(outcome):
    """Metrics of every exit without a record of any, and without a file."""
    outcome.ended_well()
    cases.every_exit_in_metrics(outcome)
    expect(not (outcome.folder / "run.sqlite").exists(), "a database is left")


@case("bpf: --counts-only --reason", f"{COUNT_ONLY}--reason 30,0x7b -- "
      "exit_loop --op out --count 300", unrecorded=KVM_COUNTS_THEM)
def counts_of_reason(outcome):
    """Other reasons count as filtered."""
    counted(outcome)
    outcome.accounts_for()
    expect(outcome.sum("filtered") > 0, "nothing was filtered")
    reasons = outcome.recording.all("SELECT DISTINCT basic_reason FROM rollups")
    expect_equal("reasons", [row[0] for row in reasons], [30 if outcome.setup.isa == VMX else 0x7b])


def _check_filter(outcome, condition):
    outcome.accounts_for()
    recorded, left_out = outcome.sum("recorded"), outcome.sum("filtered")
    expect(recorded > 0 and left_out > 0, f"{recorded} recorded, {left_out} filtered")
    outcome.counts(condition, recorded)
    outcome.see(f"{left_out} filtered")


def filtered(option, condition):
    """A filter in the kernel: only what it lets pass has a record, the rest is counted."""
    return Case(f"bpf: {option}", f"{COLLECT}{option} -- "
                "exit_loop --op out --count 300 --sleep-us 200",
                functools.partial(_check_filter, condition=condition))


def filters(setup):
    reason = "30" if setup.isa == VMX else "0x7b"
    return [filtered(f"--reason {reason}", f"basic_reason = {reason}"),
            # The frequency is measured, so the limit is not exact to the last 0.1 %.
            filtered("--min-time 200us", "ns >= 199000"),
            filtered("--one-in 10", "true")]


# Memory of L1: rings may take an eighth of it.
MUCH_MEMORY = ("--memory=2560",)
MANY = "-- sh -c 'echo files=$(ulimit -n); exec many_vcpus --vcpus 1024 --count 100'"


def _all_counted(outcome):
    """KVM's exits of all vCPUs are recorded, dropped, open, or of a vCPU that never had a ring."""
    outcome.says("files=1024")  # the collector's own limit is higher, the command's is not
    match = re.search(r"vcpus=(\d+) .*all_exits=(\d+)", outcome.log)
    expect(match, "many_vcpus has not ended")
    expect_equal("vCPUs made", int(match.group(1)), 1024)

    lost = dict(map(tuple, outcome.recording.all(
        "SELECT name, n FROM crosscheck WHERE source = 'bpf'")))
    parts = outcome.sum("recorded + dropped + filtered + unread + open_exits")
    expect_equal("exits", parts + lost["no_ring"], int(match.group(2)))
    for name in ("missed_runs", "no_place", "no_entry", "no_thread"):
        expect_equal(name, lost[name], 0)
    expect(lost["ring_bytes"] <= lost["ring_bytes_most"] < 2560 << 17,
           f"{lost['ring_bytes']} bytes of rings")
    outcome.see(f"{parts} of {match.group(2)} exits, {lost['ring_bytes'] >> 20} MiB of rings")
    return lost


@case("bpf: 1024 vCPUs", f"ulimit -Sn 1024; {COLLECT}--ring-records 1024 {MANY}", unrecorded=NO_RING,
      machine=MUCH_MEMORY)
def many_vcpus(outcome):
    """As many vCPUs as KVM allows in a VM, more than a program may have open files by default."""
    lost = _all_counted(outcome)
    expect_equal("exits of vCPUs without a ring", lost["no_ring"], 0)
    expect_equal("vCPUs", outcome.recording.one("SELECT count(*) FROM coverage"), 1024)
    outcome.no_drops()
    outcome.counts(exits_of("cpuid", outcome.setup).split(" AND ")[0], 102400)
    verified(outcome)


@case("bpf: 1024 vCPUs, too little memory", f"ulimit -Sn 1024; {COLLECT}--ring-records 8192 {MANY}",
      unrecorded=NO_RING, machine=MUCH_MEMORY)
def too_many_vcpus(outcome):
    """The memory of rings is bounded; what has none is counted, and the last line says so."""
    lost = _all_counted(outcome)
    expect(lost["no_ring"] > 0, "all vCPUs had a ring")
    outcome.says("exits of vCPUs without a ring", "(use a smaller --ring-records)")


@case("bpf: 1024 vCPUs, --counts-only", f"ulimit -Sn 1024; {COUNT_ONLY}{MANY}", unrecorded=NO_RING,
      machine=MUCH_MEMORY)
def many_counted(outcome):
    """The same in sums and histograms; as far as memory for these does."""
    _all_counted(outcome)
    counted(outcome)


# A process's name is that of its program.
NAMED = """\
. /bed/functions
ln -s "$(command -v exit_loop)" web-1; ln -s "$(command -v exit_loop)" web-2
ln -s "$(command -v exit_loop)" db-1
"""


# Guests that are not asked for sleep most of the time: the collector starts twice as fast.
@case("bpf: --vm NAME", NAMED + f"""\
./db-1 --op out --count 4000000000 --sleep-us 2000 >/dev/null &
other=$!
wait_for_vcpus $other 1 || exit 1
{COLLECT} --vm 'web-*' -- sh -c '
./web-1 --op cpuid --count 3000 >one & exit_loop --op cpuid --count 3000 >another &
./web-2 --op out --count 3000 >two & wait; exit_loop --op cpuid --count 100 >/dev/null'
status=$?
kill $other
cat one two
exit $status
""", unrecorded="VMs of other names are not recorded")
def by_name(outcome):
    """VMs that come later are known by their names; those that run already are left alone."""
    complete_of(outcome, 2)
    names = outcome.recording.all("SELECT name FROM vms ORDER BY name")
    expect_equal("VMs", [row[0] for row in names], ["web-1", "web-2"])
    for op in ("cpuid", "out"):
        outcome.counts(exits_of(op, outcome.setup), 3000)


RECORDS = 4096  # more than web-1 has exits: on one CPU the reader may be late
RING_BYTES = 40960 + RECORDS * 192  # struct bpf_area and its records


@case("bpf: --vm NAME, many others", NAMED + f"""\
./db-1 --op out --count 4000000000 --sleep-us 20000 --vcpus 16 >/dev/null &
other=$!
wait_for_vcpus $other 16 || exit 1
{COLLECT} --ring-records {RECORDS} --vm 'web-*' -- ./web-1 --op cpuid --count 3000
status=$?
kill $other
exit $status
""", unrecorded="VMs of other names are not recorded")
def others(outcome):
    """vCPUs that exist and are not asked for take no rings: there are those to spare, and a few."""
    complete_of(outcome, 1)
    outcome.counts(exits_of("cpuid", outcome.setup), 3000)
    rings = outcome.recording.one(
        f"SELECT n / {RING_BYTES} FROM crosscheck WHERE source = 'bpf' AND name = 'ring_bytes'")
    expect(rings <= 10, f"{rings} rings")
    outcome.see(f"{rings} rings")


@case("bpf: --vm PID", NAMED + f"""\
./db-1 --op out --count 4000000000 --sleep-us 2000 >/dev/null &
other=$!
./web-1 --op out --count 4000000000 --sleep-us 1000 --vcpus 2 >/dev/null &
guest=$!
wait_for_vcpus $other 1 && wait_for_vcpus $guest 2 || exit 1
{COLLECT} --vm $guest --duration 2s
status=$?
kill $other $guest
exit $status
""", unrecorded=LEFT_RUNNING)
def by_pid(outcome):
    """One process of two that run."""
    recording = outcome.recording
    outcome.see(checks.is_sound(recording))
    names = recording.all("SELECT name FROM vms")
    expect_equal("VMs", [row[0] for row in names], ["web-1"])
    expect_equal("vCPUs", recording.one("SELECT count(*) FROM coverage"), 2)
    number = recording.one(f"SELECT count(*) FROM exits WHERE {exits_of('out', outcome.setup)}")
    expect(number > 100, f"only {number} records")
    verified(outcome)


@case("bpf: collector killed", """\
. /bed/functions
collector --source bpf --db run.sqlite -- exit_loop --op out --count 4000000000 &
wait_for_rows run.sqlite
kill -9 $!
wait $!
killall exit_loop
sleep 1
bed_unload && bed_load || exit 1
collector --source bpf --db next.sqlite -- exit_loop --op cpuid --count 100
""", unrecorded=LEFT_RUNNING)
def killed(outcome):
    """SIGKILL of the collector: nothing stays in the kernel, and the next one records."""
    outcome.ended_well()
    recording = outcome.database()
    outcome.see(checks.is_sound(recording))
    expect(recording.one("SELECT count(*) FROM exits") > 100, "almost nothing was flushed")
    outcome.counts(exits_of("cpuid", outcome.setup), 100, outcome.database("next.sqlite"))
    outcome.see("KVM could be unloaded at once")


@case("bpf: --cr3", f"{COLLECT}--cr3 -- vmm /l2/bzImage /l2/initramfs", one_cpu=True)
def with_cr3(outcome):
    """SVM with nested paging: each record has the guest's CR3."""
    complete(outcome)
    outcome.counts("cr3 IS NULL", 0)
    spaces = outcome.recording.one("SELECT count(DISTINCT cr3) FROM exits")
    expect(spaces > 5, f"only {spaces} address spaces")
    outcome.see(f"{spaces} address spaces")


# Debian's QEMU as the VMM


# The VM is stopped when its guest ends, so nobody exits while the statistic is read.
@case("bpf: QEMU microvm and KVM's statistic", """\
. /bed/qemu
collector --source bpf --db run.sqlite -- sh -c '. /bed/qemu; exec_qemu microvm -name guest=web-1 \
	-serial file:serial -pidfile pid -smp 2 -no-shutdown -kernel /l2/qemu_guest -append cpus=2' &
collector=$!
wait_for "guest: done" serial
sleep 2
echo "vmm stats vcpu=0 vm_exits=$(cat /sys/kernel/debug/kvm/*/exits)"
kill "$(cat pid)"
wait $collector
status=$?
cat serial
exit $status
""", **qemu_cases.ON_QEMU)
def microvm(outcome):
    """As many records as KVM counts, from the first exit to the last, and the VM's name."""
    outcome.says("guest: done")
    complete(outcome)
    qemu_cases.is_called(outcome.recording, "web-1")
    qemu_cases.work_done(outcome, 2)


def with_qemu(of_ring, check):
    """A case of qemu_cases.py, recorded by BPF."""
    script = re.sub(r"collector (--cross-check )?--(db|vm)", r"collector --source bpf --\2",
                    of_ring.script)
    return dataclasses.replace(of_ring, name="bpf: " + of_ring.name, script=script, check=check,
                               unrecorded=of_ring.unrecorded)


def qemu_attached(outcome):
    """To a running QEMU, by its name, which goes on."""
    outcome.says('"status": "running"')
    outcome.see(checks.is_sound(outcome.recording))
    outcome.see(checks.in_sequence(outcome.recording, from_creation=False))
    qemu_cases.is_called(outcome.recording, "web-1")
    for vcpu in (0, 1):
        number = outcome.recording.one(
            f"SELECT count(*) FROM exits WHERE {qemu_cases.out_of_guest(outcome.setup)} "
            f"AND vcpu_id = {vcpu}")
        expect(number > qemu_cases.WORK_COUNT, f"only {number} pieces of work of vCPU {vcpu}")
    verified(outcome)


# A number of the host's is another process in there, and so would be its name.
IN_CONTAINER = "unshare -p -m -f sh -c 'mount -t proc none /proc; "


@case("bpf: pid namespace", IN_CONTAINER + RECORD + "exit_loop --op cpuid --count 50'")
def in_container(outcome):
    """In a container with process ids of its own: everything is recorded, no VM has a name."""
    complete(outcome)
    outcome.says("collector: VMs get no names: process ids of this container are not the host's")
    outcome.counts(exits_of("cpuid", outcome.setup), 50)
    named = outcome.recording.one("SELECT count(*) FROM vms WHERE name <> ''")
    expect_equal("VMs with a name", named, 0)


def refusals(setup):
    """Without privilege, without KVM: one line each, with the way out."""
    record = COLLECT + "--duration 1s"
    more = []
    if setup.isa == VMX:
        more.append(cases.refusal("bpf: --cr3", record + " --cr3", "--source ring"))
    return more + [
        cases.refusal("bpf: no privilege", f"su nobody -c '{record}'",
                      r"CAP_SYS_ADMIN missing \(run it as root", prepare="chmod 777 ."),
        cases.refusal("bpf: --vm in a pid namespace",
                      f"{IN_CONTAINER}{COLLECT}--duration 1s --vm sh'",
                      r"process ids of this container are not the host's .*--pid=host"),
        cases.refusal("bpf: no KVM", record, r"KVM is not loaded \(modprobe",
                      prepare=". /bed/functions; bed_unload wait_until",
                      clean_up=". /bed/functions; bed_load"),
    ]


@case("bpf: lockdown=integrity",
      cases.lock_down("integrity") + RECORD + "exit_loop --op cpuid --count 50")
def integrity(outcome):
    """BPF may still read."""
    outcome.counts(exits_of("cpuid", outcome.setup), 50)


def confidentiality():
    """The last case."""
    return cases.refusal("bpf: lockdown=confidentiality",
                         RECORD + "exit_loop --op cpuid --count 50", "lockdown=confidentiality",
                         prepare=cases.lock_down("confidentiality"))


@case("bpf: no module has BTF", "collector --db run.sqlite -- exit_loop --op cpuid --count 50",
      unrecorded=KVM_COUNTS_THEM)
def no_btf(outcome):
    """Without --source, on a kernel whose modules can't have it: the next best, and why."""
    expect_equal("source", outcome.recording.one("SELECT source FROM runs"), "tracefs")
    outcome.says("collector: records come from tracefs (not ring: no /dev/kvm_exit_ring",
                 "before Linux 5.11")
    outcome.counts("basic_reason = 10" if outcome.setup.isa == VMX else "basic_reason = 0x72", 50)


def without_btf():
    """All that can be seen of --source bpf before Linux 5.11."""
    return [no_btf, cases.refusal("bpf: refused without BTF", COLLECT + "--duration 1s",
                                  "kvm.ko has no BTF .*before Linux 5.11")]


@functools.cache
def has_btf(kernel):
    """Reads the module, so once for all machines."""
    return Kernel(kernel).has_btf("kvm")


def many(setup):
    """Bochs would take an hour for them."""
    if setup.isa == VMX:
        return []
    return [many_vcpus, too_many_vcpus, many_counted, many_cases.bpf_vms()]


def _check_destroyed(outcome):
    """VMs that come and go: a vCPU has a ring if the collector had its turn in time, and else its
    exits are dropped ones of the run."""
    recording = outcome.recording
    outcome.see(checks.is_sound(recording))
    outcome.see(checks.in_sequence(recording))
    outcome.no_drops()
    exits = recording.one("SELECT exits FROM runs")
    unseen = recording.one("SELECT unseen FROM runs")
    expect_equal("KVM's exits", exits + unseen,
                 sum(number for _, number in checks.kvm_exits(outcome.log)))
    expect(exits > unseen, f"{unseen} exits of vCPUs without a ring")
    outcome.see(f"{exits} recorded + {unseen} of vCPUs without a ring")


destroyed = dataclasses.replace(with_bpf(cases.destroyed), check=_check_destroyed,
                                unrecorded=KVM_COUNTS_THEM)


def of_options(setup):
    """What the options do, and refusals: the same on all series."""
    return [chosen, counts_running, counts_scraped, counts_of_reason, by_name, others, by_pid,
            *filters(setup), killed, in_container, *refusals(setup), integrity, confidentiality()]


def of_both_parts():
    return [with_bpf(cases.split_userspace), with_bpf(cases.split_halted), attached, overflow,
            counts_only]


def quick(setup):
    if not has_btf(setup.kernel):
        return without_btf()
    ops = ["cpuid", "rdmsr", "out", "in", "mmio_write"] + (["touch"] if setup.nested_paging else [])
    return [loops(ops)] + of_both_parts() + of_options(setup)


def full(setup):
    if not has_btf(setup.kernel):
        return without_btf()
    # The default ring is smaller in so little memory, and on one CPU guest and reader take turns.
    burst = loop("cpuid", 60000, record=COLLECT + "--ring-records 65536 -- ")
    more = [loops(ops_of(setup)), burst, loop("cpuid", 5000, vcpus=4), linux, *many(setup),
            with_bpf(cases.split_preempted), microvm]
    if setup.has_all_cases:
        more.append(destroyed)
    if setup.isa == VMX:
        more.append(loop("tsc_deadline", 100, "--irqchip"))
    else:
        # With Bochs more of QEMU would take most of the machine's time.
        more += [with_cr3, with_qemu(qemu_cases.by_name, qemu_cases.by_name.check),
                 with_qemu(qemu_cases.attached, qemu_attached)]
    return more + of_both_parts() + (of_options(setup) if setup.has_all_cases else [])
