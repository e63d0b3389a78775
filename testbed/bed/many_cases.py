# SPDX-License-Identifier: GPL-2.0-only
"""VMs made and destroyed by the thousand under one collector, with the most memory that it and L1's
kernel take; and a VM of as many vCPUs as KVM allows."""

import functools
import re

from . import checks, xcheck_cases
from .case import Case
from .checks import SVM, VMX, expect, expect_equal
from .loops import exits_of

MANY_LINE = re.compile(r"^many_vcpus vms=(\d+) vcpus=(\d+) count=(\d+) all_exits=(\d+)",
                       re.MULTILINE)
MEMORY_LINE = re.compile(r"^memory: kernel (\d+) to (\d+) KiB, at the end (\d+), "
                         r"collector (\d+) KiB$", re.MULTILINE)
TIME_LINE = re.compile(r"^time: ([\d.]+) to ([\d.]+)$", re.MULTILINE)  # of L1, in seconds

# One after the other, as fast as one process can; and several at a time, faster than the collector
# can follow in an emulated machine.
ALONE = (1, 300)
CROSSCHECKED = (1, 100)
TRACE_MIB = 32  # buffers of the trace instance
AT_ONCE = (10, 1000)
COUNT = 20
RING_MEMORY_MIB = 16

# Beyond the rings: the VM itself, and what KVM and the allocators keep.
KERNEL_MIB = 16
COLLECTOR_MIB = 32
# At the end nothing of any VM is left; 1 and 2 were seen.
LEFT_MIB = 4

# The kernel's own memory: what is neither free nor of files nor of programs, without caches such as
# debugfs' dentries, which it gives back when it needs memory. MemFree leaves out the free pages in
# the lists of the CPUs (count in /proc/zoneinfo), up to 30 MiB here.
KERNEL_KIB = """\
kernel_kib() {
	awk '{ kib[$1] = $2 }
		$1 == "count:" { listed += 4 * $2 }
		END { print kib["MemTotal:"] - kib["MemFree:"] - listed - kib["Buffers:"] - \\
			kib["Cached:"] - kib["AnonPages:"] - kib["SReclaimable:"] }' \\
		/proc/meminfo /proc/zoneinfo
}
"""

# After KERNEL_KIB.
RECORD_MANY = """\
before=$(kernel_kib)
start=$(cut -d' ' -f1 /proc/uptime)
peak=$before
collector=0
{collector} --db run.sqlite -- sh -c 'for n in $(seq {processes}); do
	many_vcpus --vms {vms} --count {count} &
done
wait' & pid=$!
while [ -e /proc/$pid/exe ]; do
	now=$(kernel_kib)
	[ "$now" -le "$peak" ] || peak=$now
	now=$(awk '/^VmHWM/ {{ print $2 }}' /proc/$pid/status)
	collector=${{now:-$collector}}
	sleep 0.2
done
wait $pid || exit 1
echo "time: $start to $(cut -d' ' -f1 /proc/uptime)"
sleep 3 # grace periods of RCU
echo "memory: kernel $before to $peak KiB, at the end $(kernel_kib), collector $collector KiB"
"""


def _record_many(collector, processes, vms):
    return KERNEL_KIB + RECORD_MANY.format(collector=collector, processes=processes, vms=vms,
                                           count=COUNT)


def _has_all(recording, cpuid, vcpus, count, exits):
    """Each exit that KVM counts has a record or is counted; each vCPU has its CPUIDs. Returns the
    exits that were dropped."""
    expect_equal("rings", recording.one("SELECT count(*) FROM coverage"), vcpus)
    accounted = recording.one("SELECT sum(recorded + dropped + filtered + unread + open_exits + "
                              "vmfail) FROM coverage")
    expect_equal("exits accounted for", accounted, exits)

    dropped = recording.one("SELECT sum(dropped) FROM coverage")
    if not dropped:
        checks.counts(recording, cpuid, vcpus * count)
        others = recording.one("SELECT count(*) FROM (SELECT 1 FROM exits WHERE "
                               f"{cpuid} GROUP BY vm, vcpu_id HAVING count(*) <> {count})")
        expect_equal(f"vCPUs without exactly {count} records of CPUID", others, 0)
    return dropped


def in_memory(outcome, kernel_mib, collector_mib):
    """What RECORD_MANY measured is within the bounds, and L1's kernel keeps nothing of it."""
    found = MEMORY_LINE.search(outcome.log)
    expect(found, "the memory was not measured")
    before, peak, end, collector = (int(kib) / 1024 for kib in found.groups())
    outcome.see(f"L1's kernel {before:.0f} MiB before, at most {peak - before:.0f} MiB more, "
                f"{end - before:.0f} at the end; collector at most {collector:.0f} MiB")
    start_s, end_s = map(float, TIME_LINE.search(outcome.log).groups())
    outcome.see(f"{end_s - start_s:.0f} s of L1's time")
    expect(peak - before <= kernel_mib, f"L1's kernel took {peak - before:.0f} MiB")
    expect(end - before <= LEFT_MIB, f"L1's kernel keeps {end - before:.0f} MiB")
    expect(collector <= collector_mib, f"the collector took {collector:.0f} MiB")


def _check_alone(outcome, vms, exits):
    dropped = _has_all(outcome.recording, exits_of("cpuid", outcome.setup), vms, COUNT, exits)
    outcome.see(f"all {exits} exits of {vms} VMs, {dropped} dropped")


def _accounts_for(recording, vms, exits):
    """Each exit is one of the run's. (VMs that have rows, exits of all others)"""
    seen = recording.one("SELECT vms FROM runs")
    accounted = recording.one("SELECT exits + dropped + filtered + unread + open_exits + vmfail "
                              "FROM runs")
    expect_equal("exits accounted for", accounted, exits)
    expect(seen >= vms / 20, f"{seen} VMs of {vms} recorded")
    return seen, recording.one("SELECT unseen FROM runs")


def _check_at_once(outcome, vms, exits):
    """Of VMs that the collector had no time for the run has the exits, and their number."""
    recording = outcome.recording
    seen, unseen = _accounts_for(recording, vms, exits)
    lost = recording.one("SELECT coalesce(sum(CAST(name AS INTEGER)), 0) FROM crosscheck WHERE "
                         "source = 'unavailable' AND name LIKE '% vCPUs that ended%'")
    expect_equal("VMs", seen + lost, vms)
    expect((unseen > 0) == (lost > 0), f"{unseen} exits of {lost} VMs")
    outcome.see(f"{exits} exits of {vms} VMs: {exits - unseen} of {seen} VMs recorded or counted, "
                f"and {unseen} of {lost} that had ended before they were read")


def _all_exits(outcome, processes, vms):
    """What KVM counted, after a look at what the programs did."""
    lines = [tuple(map(int, line)) for line in MANY_LINE.findall(outcome.log)]
    expect_equal("VMs, vCPUs, CPUIDs of each process", [line[:3] for line in lines],
                 processes * [(vms, 1, COUNT)])
    outcome.see(checks.is_sound(outcome.recording))
    checks.in_sequence(outcome.recording)
    return sum(line[3] for line in lines)


def _check_many(outcome, processes, vms, check, more_mib=0):
    check(outcome, processes * vms, _all_exits(outcome, processes, vms))
    in_memory(outcome, RING_MEMORY_MIB + KERNEL_MIB + more_mib, COLLECTOR_MIB)


def _check_crosschecked(outcome, vms, exits):
    """One thread makes them all, and the collector holds some for KVM's statistics."""
    _check_alone(outcome, vms, exits)
    equations, _ = xcheck_cases.verify(outcome.folder / "run.sqlite")
    outcome.see(xcheck_cases.has_equations(
        equations, ("records", "tracefs", "match", "entries", "steps")))


def _many_vms(name, processes, vms, check, collector="collector", more_mib=0):
    return Case(name, _record_many(collector, processes, vms),
                functools.partial(_check_many, processes=processes, vms=vms, check=check,
                                  more_mib=more_mib),
                params={"ring_records": "1024", "ring_memory_mib": str(RING_MEMORY_MIB)},
                seconds=1800)


def many_vms():
    """VMs made and destroyed: nothing uncounted, and memory has a bound."""
    return [_many_vms(f"many: {ALONE[1]} VMs come and go", *ALONE, _check_alone),
            _many_vms(f"many: {CROSSCHECKED[1]} VMs come and go, --cross-check", *CROSSCHECKED,
                      _check_crosschecked, "collector --cross-check", TRACE_MIB),
            _many_vms(f"many: {AT_ONCE[0] * AT_ONCE[1]} VMs come and go, {AT_ONCE[0]} at a time",
                      *AT_ONCE, _check_at_once)]


# The same by BPF. What a VM leaves behind is a ring that the next one takes.
BPF_AT_ONCE = (10, 100)
BPF_RECORDS = 1024
BPF_KERNEL_MIB = 32  # beyond the rings: programs, tables
# 61 to 65 were seen. A ring that stayed mapped with each VM would be 40 more: its pages that the
# collector reads even if it has no record.
BPF_COLLECTOR_MIB = 80


def _check_bpf_vms(outcome, processes, vms):
    exits = _all_exits(outcome, processes, vms)
    recording = outcome.recording
    seen, unseen = _accounts_for(recording, processes * vms, exits)
    rings = recording.one("SELECT n FROM crosscheck WHERE name = 'ring_bytes_most'") / 2 ** 20
    outcome.see(f"{exits} exits of {processes * vms} VMs: {exits - unseen} of {seen} VMs recorded "
                f"or counted, and {unseen} of VMs without a ring")
    in_memory(outcome, rings + BPF_KERNEL_MIB, BPF_COLLECTOR_MIB)


def bpf_vms():
    """The same with --source bpf."""
    processes, vms = BPF_AT_ONCE
    record = _record_many(f"collector --source bpf --ring-records {BPF_RECORDS}", processes, vms)
    return Case(f"bpf: {processes * vms} VMs come and go, {processes} at a time", record,
                functools.partial(_check_bpf_vms, processes=processes, vms=vms),
                unrecorded="some VMs have no ring")


# How many vCPUs the VMs have. Each is recorded by itself; the last recording is run.sqlite.
VCPUS = (1, 16, 128, 1024)
EXITS_EACH = 100

# A ring has four mappings in its reader. The VM stays until the reader has all of its rings: of
# vCPUs that are gone, 64 rings at most wait for one.
RECORD_VCPUS = """\
mkfifo go
for vcpus in {vcpus}; do
	collector --db $vcpus.sqlite -- sh -c \
		"exec many_vcpus --vcpus $vcpus --count {count} --hold <go" & pid=$!
	exec 3>go
	until [ "$(grep -c kvm_exit_ring /proc/$pid/maps)" -ge $((4 * vcpus)) ]; do
		[ -e /proc/$pid/exe ] || exit 1
		sleep 0.2
	done
	exec 3>&-
	wait $pid || exit 1
done
mv $vcpus.sqlite run.sqlite
"""

# In Bochs a cycle is an instruction, and each CPUID exit takes as many, but for those in which L1's
# timer comes or that find the watermark of their ring reached: the middle one is neither.
FLAT_INSTRUCTIONS = 10

# The cycles of the middle one of all CPUID exits.
HANDLER_CYCLES = """
SELECT cycles - halted_cycles - userspace_cycles - preempted_cycles AS handler
FROM exits
WHERE {where}
ORDER BY handler
LIMIT 1 OFFSET (SELECT count(*) / 2 FROM exits WHERE {where})
"""


def is_flat(instructions):
    """An exit costs the same in a VM of any size. instructions: {vCPUs: per CPUID}"""
    least, most = min(instructions.values()), max(instructions.values())
    expect(most - least <= FLAT_INSTRUCTIONS,
           "instructions per CPUID depend on the vCPUs: " +
           ", ".join(f"{number} of {vcpus}" for vcpus, number in instructions.items()))


def _check_vcpus(outcome):
    cycles_of = {}
    cpuid = exits_of("cpuid", outcome.setup)
    lines = MANY_LINE.findall(outcome.log)
    expect_equal("VMs", [int(vcpus) for _, vcpus, _, _ in lines], list(VCPUS))

    for _, vcpus, count, exits in lines:
        recording = outcome.recording
        if int(vcpus) != VCPUS[-1]:
            recording = outcome.database(f"{vcpus}.sqlite")
        checks.is_sound(recording)
        checks.in_sequence(recording)
        dropped = _has_all(recording, cpuid, int(vcpus), int(count), int(exits))
        expect_equal(f"dropped of {vcpus} vCPUs", dropped, 0)
        cycles = recording.one(HANDLER_CYCLES.format(where=cpuid))
        cycles_of[int(vcpus)] = cycles
        outcome.see(f"{vcpus} vCPU{'s' * (vcpus != '1')}: {exits} exits, {cycles} cycles per "
                    "CPUID")

    if outcome.setup.isa == VMX:
        is_flat(cycles_of)


def many_vcpus():
    """As many vCPUs as KVM allows, in 1 GiB: all of their exits have records."""
    return Case("many: VMs of 1 to 1024 vCPUs",
                RECORD_VCPUS.format(vcpus=" ".join(map(str, VCPUS)), count=EXITS_EACH),
                _check_vcpus, params={"ring_records": "256"}, seconds=1800)


def full(setup):
    """TCG is the faster machine. What an exit costs in a VM of any size is seen in Bochs alone."""
    if setup.isa == SVM:
        return [many_vcpus(), *many_vms()]
    return [many_vcpus()] if setup.has_all_cases else []
