# SPDX-License-Identifier: GPL-2.0-only
"""The cases of a machine, each with what must hold in its recording: quick() and full()."""

import functools
import re

from . import checks, fault_cases, many_cases, qemu_cases, xcheck_cases
from .case import KVM_COUNTS_THEM, RECORD, Case, case
from .checks import VMX, expect, expect_equal
from .loops import LEAF_REASONS, exits_of, leaves, loop, ops_of

NESTED_LINE = re.compile(r"^L2\| .*exit_loop vcpu=0 .*\b(?:vm_)?exits=(\d+)", re.MULTILINE)


# The leaves of the exit statistics


@case("leaves turned off", RECORD + "exit_loop --op out --count 50 --read-leaves ''",
      params={"cpuid_leaves": "N"})
def leaves_off(outcome):
    """cpuid_leaves=N: the four leaves are as any other that the CPU doesn't have."""
    expect(outcome.recording, "no recording")
    readings = checks.leaf_readings(outcome.log)
    expect_equal("readings", len(readings), 2)
    expect_equal("0x4fffffff and 0x4ffffffe", readings[0][2:], readings[1][2:])
    outcome.see(f"both leaves return {readings[0][2:]}")


# A Linux guest


def _check_linux(outcome):
    outcome.says("L2 done")
    outcome.sound()
    if not outcome.sum("dropped"):
        outcome.see(checks.leaves_agree(outcome.recording, outcome.setup.isa, outcome.log))


def linux(isa):
    """Linux boots as L2 and reads the leaves with Debian's cpuid; its CR3 is recorded, too."""
    reasons = ",".join(map(str, LEAF_REASONS[isa]))
    return Case("Linux boots as L2", "collector --cr3 --db run.sqlite -- vmm "
                f"--append leaf_reasons={reasons} /l2/bzImage /l2/initramfs", _check_linux,
                one_cpu=True)


NESTED_LOOPS = 100


@case("a guest of the guest",
      "cat /l2/initramfs /l2/nested >/tmp/initramfs\n"
      "collector --cross-check --db run.sqlite -- vmm --pass-tsc --append "
      f"nested_loops={NESTED_LOOPS} /l2/bzImage /tmp/initramfs", machine=("--nested",),
      one_cpu=True)
def nested(outcome):
    """L2 runs a guest of its own: that one's exits are marked, whoever handles them."""
    recording, setup = outcome.recording, outcome.setup
    outcome.says("L2 done")
    outcome.sound()
    outcome.counts(exits_of("cpuid", setup) + " AND nested", NESTED_LOOPS)

    seen_by_l2 = NESTED_LINE.search(outcome.log)
    expect(seen_by_l2, "exit_loop did not run in L2")
    exits = int(seen_by_l2.group(1))
    marked = recording.one("SELECT count(*) FROM exits WHERE nested")
    expect(exits <= marked, f"L2's KVM counts {exits} exits, but only {marked} are marked")
    outcome.see(f"{marked} exits of L3, of which L2's KVM has seen {exits}")

    entries = "basic_reason IN (20, 24)" if setup.isa == VMX else "basic_reason = 0x80"
    made = recording.one(f"SELECT count(*) FROM exits WHERE {entries} AND NOT nested")
    expect(made >= NESTED_LOOPS, f"L2 has entered L3 {made} times only")

    equations, _ = xcheck_cases.verify(outcome.folder / "run.sqlite")
    outcome.see(xcheck_cases.has_equations(equations, xcheck_cases.SOURCES))


# The parts of an exit's time


@case("the VMM sleeps", RECORD + "exit_loop --op out --count 20 --sleep-us 2000")
def split_userspace(outcome):
    """A VMM that sleeps 2 ms at each of 20 exits: that time is user space's."""
    outcome.sound()
    low = outcome.recording.one("SELECT min(userspace_ns) FROM exits WHERE "
                                f"{exits_of('out', outcome.setup)}")
    expect(low >= 2_000_000, f"an exit with only {low} ns in user space")
    outcome.see(f"at least {low} ns each in user space")


@case("HLT with a timer", RECORD + "exit_loop --op hlt --count 20 --mode real --timer-us 5000")
def split_halted(outcome):
    """HLT until a 5 ms timer: that time is halted time."""
    condition = exits_of("hlt", outcome.setup, real_mode=True)
    outcome.sound()
    outcome.counts(condition, 20)

    # A host that is late gives some ticks at once: not every HLT waits for one.
    longest = outcome.recording.one(f"SELECT max(halted_ns) FROM exits WHERE {condition}")
    expect(longest >= 2_000_000, f"no HLT exit was halted longer than {longest} ns")
    outcome.see(f"the longest HLT is halted {longest} ns")
    outcome.counts(f"NOT ({condition}) AND halted_cycles > 0", 0)


@case("two vCPUs on one CPU",
      RECORD + "exit_loop --op nop --count 20000000 --vcpus 2 --pin 0")
def split_preempted(outcome):
    """Two busy vCPUs on one CPU: each is scheduled out while runnable."""
    outcome.sound()
    for row in outcome.recording.all(
            "SELECT vcpu_id, count(*) AS n, sum(preempted_ns) AS ns FROM exits "
            "WHERE preempted_cycles > 0 GROUP BY vcpu_id"):
        outcome.see(f"vCPU {row['vcpu_id']} preempted {row['n']} times, {row['ns']} ns")
    n = outcome.recording.one("SELECT count(DISTINCT vcpu_id) FROM exits "
                              "WHERE preempted_ns > 500000")
    expect_equal("vCPUs preempted for 0.5 ms and more at a time", n, 2)


@case("fastpath", RECORD + "exit_loop --op tsc_deadline --count 100 --irqchip")
def fastpath(outcome):
    """WRMSR of TSC_DEADLINE with an in-kernel APIC re-enters without handle_exit()."""
    condition = exits_of("tsc_deadline", outcome.setup)
    outcome.sound()
    outcome.counts(condition, 100)
    outcome.counts(condition + " AND fastpath", 100)


@case("entries that the CPU refuses", RECORD + "refused_entry")
def refused_entries(outcome):
    """A guest state that the CPU does not accept: an exit without an entry."""
    outcome.sound()
    if outcome.setup.isa == VMX:
        outcome.counts("basic_reason = 33 AND reason_name LIKE '% FAILED_VMENTRY'", 2)
    else:
        outcome.counts("basic_reason = 0xffffffff", 2)


# Readers that come, go and are too slow


@case("on_full=wait, ring of 1024", RECORD + "exit_loop --op cpuid --count 60000",
      params={"ring_records": "1024", "on_full": "wait"})
def waits(outcome):
    """on_full=wait: a ring far too small loses nothing."""
    outcome.sound()
    outcome.no_drops()
    outcome.counts(exits_of("cpuid", outcome.setup), 60000)


@case("collector comes late", f"""\
. /bed/functions
exit_loop --op out --count 3000 --sleep-us 1000 &
wait_for_vcpus $! 1 || exit 1
{RECORD}sh -c "while grep -q . /proc/$!/cmdline; do sleep 0.1; done"
wait $!
""")
def late(outcome):
    """A collector that comes while the guest runs: what it missed is counted as unread."""
    outcome.sound(from_creation=False)
    unread = outcome.sum("unread")
    expect(0 < unread < 3000, f"{unread} exits unread")
    outcome.see(f"{unread} of them unread")


@case("collector killed", """\
. /bed/functions
collector --db run.sqlite -- exit_loop --op out --count 4000000000 &
wait_for_rows run.sqlite
kill -9 $!
wait $!
killall exit_loop
collector --db next.sqlite -- exit_loop --op cpuid --count 100
""", unrecorded="a killed collector stores nothing more")
def killed(outcome):
    """SIGKILL of the collector: what was flushed is there, and the next one records."""
    outcome.ended_well()
    recording = outcome.database()
    outcome.see(checks.is_sound(recording))
    outcome.see(checks.in_sequence(recording))
    expect(recording.one("SELECT count(*) FROM exits") > 1000, "almost nothing was flushed")
    expect(recording.one("SELECT state FROM runs") != "complete", "the run claims to be complete")
    outcome.counts(exits_of("cpuid", outcome.setup), 100, outcome.database("next.sqlite"))


def _check_pinned(outcome, cpu):
    outcome.sound()
    outcome.counts(exits_of("cpuid", outcome.setup), 100)
    # What opens the VM runs on any CPU, but makes no exit.
    outcome.counts(f"pcpu <> {cpu}", 0)


def pinned(cpu):
    """A vCPU on one CPU of L1: every record names that one."""
    return Case(f"a vCPU on CPU {cpu}", RECORD + f"exit_loop --op cpuid --count 100 --pin {cpu}",
                functools.partial(_check_pinned, cpu=cpu))


@case("10 VMs of 4 vCPUs",
      RECORD + "sh -c 'for n in 1 2 3 4 5 6 7 8 9 10; do "
      "exit_loop --op cpuid --count 100 --vcpus 4 || exit 1; done'")
def destroyed(outcome):
    """VMs that come and go while one collector records: every exit of each."""
    recording = outcome.recording
    outcome.see(checks.is_sound(recording))
    outcome.see(checks.in_sequence(recording))
    expect_equal("rings", recording.one("SELECT count(*) FROM coverage"), 40)
    outcome.counts(exits_of("cpuid", outcome.setup), 4000)

    outcome.accounts_for_sum()


SCRAPE = "sleep 2; wget -qO metrics http://127.0.0.1:9925/metrics"


def every_exit_in_metrics(outcome):
    """Of a scrape after the guest: all that KVM counts, whatever became of the records."""
    text = (outcome.folder / "metrics").read_text()
    exits = sum(map(int, re.findall(r"^kvm_exits_total{.* (\d+)$", text, re.MULTILINE)))
    expect_equal("exits of the metrics", exits,
                 sum(number for _, number in checks.kvm_exits(outcome.log)))
    outcome.see(f"{exits} exits in the metrics")
    return {state: sum(map(int, re.findall(rf'state="{state}"}} (\d+)$', text, re.MULTILINE)))
            for state in ("recorded", "dropped", "filtered")}


@case("metrics, ring of 1024", "collector --db run.sqlite --listen 127.0.0.1:9925 -- sh -c 'kill -STOP "
      f"$PPID; exit_loop --op cpuid --count 5000; kill -CONT $PPID; {SCRAPE}'",
      params={"ring_records": "1024"})
def metrics(outcome):
    """The exits that found no room are in the metrics, too."""
    outcome.sound()
    states = every_exit_in_metrics(outcome)
    expect_equal("dropped", states["dropped"], outcome.sum("dropped"))
    expect(states["dropped"] > 0, "nothing was dropped")


def _check_lost_vcpu(outcome, recording, exits):
    """Two vCPUs of one VM, of which one has all its exits as dropped ones."""
    rows = recording.all("SELECT recorded, dropped FROM coverage ORDER BY recorded")
    expect_equal("vCPUs", len(rows), 2)
    expect_equal("recorded of the second vCPU", rows[0][0], 0)
    expect(rows[0][1] >= exits, f"only {rows[0][1]} of {exits} exits count as dropped")
    expect_equal("dropped of the first vCPU", rows[1][1], 0)
    expect_equal("losses", recording.one("SELECT sum(n) FROM losses"), rows[0][1])
    expect_equal("words of it", recording.one("SELECT count(*) FROM crosscheck WHERE source = "
                                              "'unavailable' AND name LIKE '%ring_memory_mib%'"), 1)
    outcome.see(f"{rows[0][1]} exits of a vCPU without memory count as dropped")


@case("no memory for a ring", """\
. /bed/functions
bound=/sys/module/kvm/parameters/ring_memory_mib
echo 1 >$bound
collector --cross-check --db run.sqlite -- exit_loop --op cpuid --count 100 --vcpus 2 || exit 1
exit_loop --op out --count 2000 --vcpus 2 --sleep-us 2000 >/dev/null & vm=$!
wait_for_vcpus $vm 2 || exit 1
collector --db attached.sqlite --duration 1s || exit 1
wait $vm
echo 0 >$bound
""", params={"ring_records": "4096"}, unrecorded="half of the exits have no record")
def lost_vcpu(outcome):
    """Without memory for the records of a vCPU the recording goes on; its exits are dropped ones."""
    outcome.says("not seen: the records of 1 vCPU")
    _check_lost_vcpu(outcome, outcome.recording, 100)
    _check_lost_vcpu(outcome, outcome.database("attached.sqlite"), 2)
    exits = sum(number for _, number in checks.kvm_exits(outcome.log))
    accounted = outcome.sum("recorded + dropped + filtered + unread + open_exits + vmfail")
    expect_equal("exits accounted for", accounted, exits)


@case("hostile readers", """\
touch /tmp/go
vms() {
	n=0
	while [ -e /tmp/go ]; do
		n=$((n + 1))
		exit_loop --op $1 --count $2 --vcpus $3 >vms.$1 2>&1 &
		vm=$!
		[ $((n % 3)) != 0 ] || { sleep 0.3; kill -9 $vm 2>/dev/null; }
		wait $vm
	done
	echo "$n VMs of $1"
}
vms cpuid 3000 2 & first=$!
vms out 500 3 & second=$!
hostile_reader $((case_seconds / 10)) 4 1
status=$?
rm /tmp/go
wait $first $second
[ $status = 0 ] || exit 1
collector --db run.sqlite -- exit_loop --op cpuid --count 100 || exit 1
. /bed/functions
bed_unload && bed_load
""", params={"ring_records": "4096"}, unrecorded="nobody keeps what the hostile readers read")
def hostile_readers(outcome):
    """Readers that do all they can while VMs come, go and are killed; a sound one, afterwards."""
    outcome.ended_well()
    outcome.counts(exits_of("cpuid", outcome.setup), 100)
    for line in re.findall(r"^\d+ VMs of .*|^ *\d+ attached$", outcome.log, re.MULTILINE):
        outcome.see(line.strip())


KMEMLEAK = "/sys/kernel/debug/kmemleak"


@case("nothing is leaked", f"""\
. /bed/functions
bed_unload || exit 1
for scan in 1 2; do
	echo scan >{KMEMLEAK}
	sleep 6
done
cat {KMEMLEAK}
""", unrecorded="no guest runs")
def nothing_leaked(outcome):
    """With a kernel that has kmemleak: no memory that nothing points to, modules unloaded."""
    outcome.ended_well()
    leaks = [line for line in outcome.log.splitlines() if "unreferenced object" in line]
    expect(not leaks, f"{len(leaks)} objects are leaked")
    outcome.see("kmemleak found nothing")


# Modules: stock, loaded again and again; the ABI's claims


@case("a stock vendor module", """\
. /bed/functions
vendor=$(basename /bed/stock/*.ko .ko)
bed_unload && insmod /bed/modules/irqbypass.ko && insmod /bed/modules/kvm.ko &&
	insmod /bed/stock/$vendor.ko || exit 1
collector --db run.sqlite -- exit_loop --op out --count 10
collector --check-host | grep ^needed
dmesg | grep 'is a stock one'
rmmod $vendor && insmod /bed/modules/$vendor.ko || exit 1
collector --db next.sqlite -- exit_loop --op out --count 10
echo "stock_vendor=$(cat /sys/module/kvm/parameters/stock_vendor)"
rmmod $vendor kvm irqbypass && BED_KVM_PARAMS=stock_vendor=Y && bed_load
echo "loaded with stock_vendor=Y: $(cat /sys/module/kvm/parameters/stock_vendor)"
""", unrecorded=KVM_COUNTS_THEM)
def stock_vendor(outcome):
    """A stock vendor module on our kvm.ko: nothing is recorded, and the log says so."""
    outcome.ended_well()
    outcome.says("collector: a stock kvm-intel.ko or kvm-amd.ko runs on the kvm.ko",
                 "needed   modules", "exits are neither counted nor recorded", "stock_vendor=N",
                 "loaded with stock_vendor=Y: N")
    expect_equal("recorded", outcome.database().one("SELECT count(*) FROM exits"), 0)
    outcome.counts(exits_of("out", outcome.setup), 10, outcome.database("next.sqlite"))


@case("hooks=0", """\
. /bed/functions
bed_unload && (BED_KVM_PARAMS=hooks=0; bed_load) || exit 1
hooks_test hooks=0 &&
	exit_loop --op cpuid --count 100 --vcpus 2 &&
	exit_loop --op hlt --count 20 --mode real --timer-us 5000 &&
	exit_loop --op hlt --count 300 --mode real --timer-us 150 &&
	exit_loop --op out --count 100 --mode real || exit 1
collector --source ring --db run.sqlite -- true
collector --check-host | grep ^needed
bed_unload && bed_load && hooks_test recorded
""", unrecorded="nothing is recorded with hooks=0")
def hooks_off(outcome):
    """All hooks turned off: guests run, nothing is counted, no device, no leaves. Short halts are polled."""
    outcome.ended_well()
    outcome.says("hooks_test: 1 claims hold", "needed   modules",
                 "collector: /dev/kvm_exit_ring: kvm.ko was loaded with hooks=0")
    expect(not (outcome.folder / "run.sqlite").exists(), "a database is left")


RELOAD = """\
. /bed/functions
for round in $(seq {rounds}); do
	bed_unload && bed_load || exit 1
	[ $((round % 10)) = 0 ] || continue
	{record} exit_loop --op cpuid --count 100 || exit 1
	[ "$round" = {rounds} ] || rm -f run.sqlite*
done
"""


def _check_reloaded(outcome):
    outcome.see(checks.is_sound(outcome.recording))
    outcome.counts(exits_of("cpuid", outcome.setup), 100)


def reload_cycles(setup):
    """Loading and unloading again and again, with a guest in between. Bochs takes ten seconds a
    round, and what a round leaves behind does not depend on the vendor."""
    rounds = 10 if setup.machine == "bochs" else 50
    return Case(f"{rounds} times unloaded and loaded",
                RELOAD.format(rounds=rounds, record=RECORD), _check_reloaded,
                unrecorded=KVM_COUNTS_THEM)


def _check_claims(outcome):
    lines = outcome.log.splitlines() or ["nothing"]
    outcome.ended_well()
    expect(lines[-1].endswith("claims hold"), lines[-1])
    for line in [lines[-1]] + [line for line in lines if "skipped" in line]:
        outcome.see(line)


def claims(name, program, params, before="", one_cpu=True):
    """What the ABI header says, claim by claim (kvm/test/*/PROGRAM.c)."""
    return Case(name, program, _check_claims, params, before, one_cpu=one_cpu,
                unrecorded="the program reads its guests' rings itself")


def requests_of_another_cpu():
    return claims("requests of another CPU", "field_test requests", {"ring_records": "4096"},
                  one_cpu=False)


def readers_on_another_cpu():
    return claims("readers on another CPU", "smp_test", {"ring_records": "4096"}, one_cpu=False)


def claims_of_records():
    return [claims("the record's newer fields", "field_test", {"ring_records": "4096"}),
            claims("the record's claims", "record_test", {},
                   "insmod /bed/modules/msr.ko 2>/dev/null")]


def claims_of_device():
    small = {"ring_records": "4096"}
    return [claims("the device's claims", "device_test", small),
            claims("poll and epoll", "poll_test", small),
            claims("the device's memory", "memory_test", small),
            claims("what the hooks cost", "hooks_test", small),
            claims("harmless to host and VM", "host_test", small),
            claims("the kinds of time", "time_test", small),
            claims("a full ring obeys signals", "host_test full",
                   {"ring_records": "1024", "on_full": "wait"})]


def all_claims():
    return claims_of_device() + claims_of_records()


# What can't be recorded is refused in one line


def _check_refusal(outcome, says):
    text = (outcome.folder / "err.txt").read_text(errors="replace")
    expect_equal("exit status", (outcome.folder / "code").read_text().strip(), "1")
    expect_equal(f"lines on stderr ({text.strip()})", len(text.splitlines()), 1)
    expect(re.search(says, text), f"{text.strip()!r} does not say {says!r}")
    expect(not (outcome.folder / "run.sqlite").exists(), "a database is left")
    outcome.see(text.strip())


def refusal(name, command, says, prepare="", clean_up=""):
    """command ends with status 1 and one line that says why; it leaves no database."""
    script = f"{prepare}\n{command} >out.txt 2>err.txt; echo $? >code\n{clean_up}\n"
    return Case(name, script, functools.partial(_check_refusal, says=says))


def refusals():
    record = "collector --db run.sqlite --duration 1s"
    return [
        refusal("no permission", f"su nobody -c '{record}'", "[Pp]ermission",
                prepare="chmod 777 ."),
        refusal("another collector", record, "another collector",
                prepare="collector --db first.sqlite -- sh -c 'touch up; exec sleep 1000' & "
                "first=$!; until [ -e up ]; do sleep 0.1; done",
                clean_up="kill $first; wait"),
        refusal("no device", record, "kvm_exit_ring", prepare=". /bed/functions; bed_unload wait_until",
                clean_up=". /bed/functions; bed_load"),
    ]


def lock_down(mode):
    """Shell; it can't be taken back."""
    return ("grep -q securityfs /proc/mounts || mount -t securityfs none /sys/kernel/security; "
            f"echo {mode} >/sys/kernel/security/lockdown; ")


def locked_down():
    """The last case of a machine: KVM can't be loaded again after it. It is the device's, the same
    for both vendors."""
    return refusal("lockdown=confidentiality", "collector --db run.sqlite --duration 1s",
                   "lockdown=confidentiality", prepare=lock_down("confidentiality"))


def of_rings(setup):
    """About rings, their readers and the modules: once is enough for all kinds of paging."""
    cases = [late, killed, metrics, lost_vcpu, *refusals(), stock_vendor, hooks_off]
    return cases + (claims_of_device() if setup.cpus == 1 else [])


def quick(setup):
    cases = [loop(op, 100) for op in ops_of(setup)]
    cases += [leaves(setup, "leaves in a loop"), linux(setup.isa), split_userspace, split_halted,
              split_preempted, refused_entries]
    if setup.isa == VMX:
        cases.append(fastpath)
    if setup.cpus == 1:
        cases += claims_of_records()
    else:
        cases += [pinned(setup.cpus - 1), requests_of_another_cpu()]
    if setup.nested_paging:
        cases += of_rings(setup)
    cases.append(loop("cpuid", 60000, name="cpuid x 60000, ring of 4096",
                      params={"ring_records": "4096"}))
    return cases + xcheck_cases.quick(setup) + qemu_cases.quick(setup)


def debug(setup):
    """For a kernel that looks for faults (kvm/test/debug_kernel): each way through our code."""
    cases = [loop(op, 100) for op in ops_of(setup)]
    if setup.cpus == 1:
        cases += all_claims() + [split_halted, split_preempted, refused_entries, nested,
                                 linux(setup.isa), waits, reload_cycles(setup)]
    else:
        cases += [pinned(setup.cpus - 1), requests_of_another_cpu(), readers_on_another_cpu(),
                  late, killed, destroyed]
    cases.append(hostile_readers)
    return cases + ([nothing_leaked] if "kasan" in setup.kernel else [])


def of_rings_in_full(setup):
    cases = [loop("cpuid", 150000, name="cpuid x 150000, default ring", params={}), leaves_off, waits]
    if setup.has_all_cases:
        cases += [hostile_readers, reload_cycles(setup)]
    if setup.cpus > 1:
        cases += [readers_on_another_cpu(), *all_claims()]
    return cases


def full(setup):
    cases = [loop(op, 100, "--mode", "real", name=f"{op} x 100, real mode")
             for op in ops_of(setup) if op not in ("touch", "cr0")]
    cases += quick(setup)
    if setup.nested_paging:
        cases += of_rings_in_full(setup) + fault_cases.full(setup) + many_cases.full(setup)
    cases += [
        loop("cpuid", 5000, vcpus=4, name="cpuid x 5000, 4 vCPUs at once"),
        destroyed,
        leaves(setup, "leaves with a second vCPU", ["--vcpus 2"]),
        leaves(setup, "leaves of the second VM", ["", ""]),
        leaves(setup, "leaves, leaf_scope=host", ["", ""], {"leaf_scope": "host"}, vms="all"),
        leaves(setup, "leaves, leaf_time=handler", ["--sleep-us 500"],
               {"leaf_time": "handler"}, part="handler_cycles"),
        nested,
    ]
    cases += xcheck_cases.full(setup) + qemu_cases.full(setup)
    return cases + ([locked_down()] if setup.isa != VMX and setup.nested_paging else [])
