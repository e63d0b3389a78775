# SPDX-License-Identifier: GPL-2.0-only
"""VMs made and destroyed by the thousand under one collector, with the most memory that it and L1's
kernel take."""

import functools
import re

from . import checks
from .case import Case
from .checks import SVM, expect, expect_equal
from .loops import exits_of

MANY_LINE = re.compile(r"^many_vcpus vms=(\d+) vcpus=(\d+) count=(\d+) all_exits=(\d+)",
                       re.MULTILINE)
MEMORY_LINE = re.compile(r"^memory: kernel (\d+) to (\d+) KiB, at the end (\d+), "
                         r"collector (\d+) KiB$", re.MULTILINE)

VMS = 2000
RING_MEMORY_MIB = 16

# Beyond the rings: the VM itself, and what KVM and the allocators keep.
KERNEL_MIB = 16
COLLECTOR_MIB = 32

# The kernel's own memory: what is neither free nor of files nor of programs.
RECORD_MANY = """\
kernel_kib() {{
	awk '{{ kib[$1] = $2 }} END {{ print kib["MemTotal:"] - kib["MemFree:"] - kib["Buffers:"] - \\
		kib["Cached:"] - kib["AnonPages:"] }}' /proc/meminfo
}}
before=$(kernel_kib)
peak=$before
collector=0
collector --db run.sqlite -- many_vcpus {options} & pid=$!
while [ -e /proc/$pid/exe ]; do
	now=$(kernel_kib)
	[ "$now" -le "$peak" ] || peak=$now
	now=$(awk '/^VmHWM/ {{ print $2 }}' /proc/$pid/status)
	collector=${{now:-$collector}}
	sleep 0.2
done
wait $pid || exit 1
echo "memory: kernel $before to $peak KiB, at the end $(kernel_kib), collector $collector KiB"
"""


def _has_all(outcome, vms, vcpus, count, exits):
    """Each exit that KVM counts has a record or is counted; each vCPU has its CPUIDs."""
    recording = outcome.recording
    expect_equal("rings", recording.one("SELECT count(*) FROM coverage"), vms * vcpus)
    accounted = outcome.sum("recorded + dropped + filtered + unread + open_exits + vmfail")
    expect_equal("exits accounted for", accounted, exits)

    dropped = outcome.sum("dropped")
    if dropped:
        outcome.see(f"{dropped} dropped")
        return
    cpuid = exits_of("cpuid", outcome.setup)
    outcome.counts(cpuid, vms * vcpus * count)
    others = recording.one("SELECT count(*) FROM (SELECT 1 FROM exits WHERE "
                           f"{cpuid} GROUP BY vm, vcpu_id HAVING count(*) <> {count})")
    expect_equal(f"vCPUs without exactly {count} records of CPUID", others, 0)


def _in_memory(outcome, kernel_mib, collector_mib):
    found = MEMORY_LINE.search(outcome.log)
    expect(found, "the memory was not measured")
    before, peak, end, collector = (int(kib) / 1024 for kib in found.groups())
    outcome.see(f"L1's kernel {before:.0f} MiB before, at most {peak - before:.0f} MiB more, "
                f"{end - before:.0f} at the end; collector at most {collector:.0f} MiB")
    expect(peak - before <= kernel_mib, f"L1's kernel took {peak - before:.0f} MiB")
    expect(collector <= collector_mib, f"the collector took {collector:.0f} MiB")


def _check_many(outcome, kernel_mib, collector_mib):
    line = MANY_LINE.search(outcome.log)
    expect(line, "many_vcpus did not say what it did")
    vms, vcpus, count, exits = map(int, line.groups())
    outcome.see(checks.is_sound(outcome.recording))
    checks.in_sequence(outcome.recording)
    _has_all(outcome, vms, vcpus, count, exits)
    outcome.see(f"all {exits} exits of {vms} VM{'s' * (vms > 1)} with {vcpus} vCPU"
                f"{'s' * (vcpus > 1)}")
    _in_memory(outcome, kernel_mib, collector_mib)


def many_vms():
    """VMs made and destroyed one after the other: nothing uncounted, and memory has a bound."""
    return Case(f"many: {VMS} VMs come and go",
                RECORD_MANY.format(options=f"--vms {VMS} --count 20"),
                functools.partial(_check_many, kernel_mib=RING_MEMORY_MIB + KERNEL_MIB,
                                  collector_mib=COLLECTOR_MIB),
                params={"ring_records": "1024", "ring_memory_mib": str(RING_MEMORY_MIB)},
                seconds=1800)


def full(setup):
    """Once is enough, and TCG is the faster machine."""
    return [many_vms()] if setup.isa == SVM else []
