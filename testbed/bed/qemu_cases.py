# SPDX-License-Identifier: GPL-2.0-only
"""Cases of Debian's QEMU as the VMM, with a guest whose exits are known (qemu_guest.c)."""

from . import checks, xcheck_cases
from .case import Case, case
from .checks import VMX, expect, expect_equal

# qemu_guest.c
WORK_COUNT = 100
WORK_SUBLEAF = 0x5eaf
WORK_PORT = 0x10

# SeaBIOS takes interrupts, as Linux does.
ON_QEMU = {"machine": ("--qemu",), "boots_linux": True}
GUEST = "-kernel /l2/qemu_guest"
QMP = "-qmp tcp:127.0.0.1:4444,server=on,wait=off"


def cpuid_of_guest(setup):
    """The records of the guest's own CPUID instructions."""
    return (f"basic_reason = {10 if setup.isa == VMX else 0x72} AND key = 1 "
            f"AND key_aux = {WORK_SUBLEAF}")


def out_of_guest(setup):
    return (f"basic_reason = {30 if setup.isa == VMX else 0x7b} AND key = {WORK_PORT} "
            "AND key_aux = 1")


def verified(outcome, name="run.sqlite"):
    """Every source that the recording has agrees with it, without a rest."""
    equations, _ = xcheck_cases.verify(outcome.folder / name)
    outcome.see(xcheck_cases.has_equations(
        equations, [equation for equation in xcheck_cases.SOURCES]))


def work_done(outcome, vcpus, recording=None):
    """Each vCPU has done its work once, and every piece of it is there."""
    recording = recording or outcome.recording
    for what in (cpuid_of_guest(outcome.setup), out_of_guest(outcome.setup)):
        outcome.counts(what, WORK_COUNT * vcpus, recording)
        for vcpu in range(vcpus):
            number = recording.one(f"SELECT count(*) FROM exits WHERE vcpu_id = {vcpu} AND {what}")
            expect_equal(f"vCPU {vcpu}: {what}", number, WORK_COUNT)


def names_of(recording):
    """{name: where it is from} of the VMs."""
    return {row[0]: row[1] for row in recording.all("SELECT name, name_source FROM vms")}


@case("QEMU microvm, the collector's command",
      "collector --cross-check --db run.sqlite -- qemu-system-x86_64 -machine microvm,accel=kvm "
      "-cpu host -smp 2 -m 64 -name guest=web-1 -nodefaults -no-user-config -display none "
      f"-no-reboot -serial stdio {GUEST} -append cpus=2", **ON_QEMU)
def microvm(outcome):
    """QEMU as a user starts it: every exit from its first to its last, and its name."""
    outcome.says("guest: done")
    expect_equal("names", names_of(outcome.recording), {"web-1": "qemu"})
    outcome.see(checks.is_sound(outcome.recording))
    outcome.see(checks.in_sequence(outcome.recording))
    outcome.no_drops()
    work_done(outcome, 2)
    verified(outcome)


@case("QEMU q35 and KVM's statistic", f"""\
. /bed/qemu
collector --cross-check --db run.sqlite -- sh -c '. /bed/qemu; exec_qemu q35 -smp 2 -no-shutdown \\
	-name guest=web-1 -serial file:serial {QMP} {GUEST} -append "cpus=2 reasons=10,30,114,123"' &
collector=$!
qmp_wait 4444 shutdown
qmp_stats 4444
qmp 4444 quit
wait $collector
status=$?
cat serial
exit $status
""", **ON_QEMU)
def q35(outcome):
    """The statistic that QEMU itself reads is the number of the records; the guest's leaves."""
    outcome.says("guest: done")
    outcome.sound()
    outcome.no_drops()
    work_done(outcome, 2)
    outcome.see(checks.leaves_agree(outcome.recording, outcome.setup.isa, outcome.log))
    verified(outcome)


def quick(setup):
    return [] if setup.isa == VMX else [microvm, q35]


def full(setup):
    """Those that are not in quick(setup)."""
    return [one for one in (microvm, q35) if one not in quick(setup)]
