# SPDX-License-Identifier: GPL-2.0-only
"""Cases of Debian's QEMU as the VMM, with a guest whose exits are known (qemu_guest.c)."""

import csv
import io
import re
import subprocess

from . import ROOT, checks, xcheck_cases
from .case import case
from .checks import VMX, expect, expect_equal

# qemu_guest.c
WORK_COUNT = 100
WORK_SUBLEAF = 0x5eaf
WORK_PORT = 0x10

# SeaBIOS takes interrupts, as Linux does.
ON_QEMU = {"machine": ("--qemu",), "one_cpu": True}
GUEST = "-kernel /l2/qemu_guest"
QMP = "-qmp tcp:127.0.0.1:4444,server=on,wait=off"
SVM_REASONS = (114, 123)
ANOTHER_QMP = "-qmp tcp:127.0.0.1:4445,server=on,wait=off"
LEFT_RUNNING = "the collector has left the guest while it ran"


def recorded(command, then):
    """A collector in the background whose command is QEMU (exec_qemu ...), while the shell does
    something with it."""
    return f"""\
. /bed/qemu
collector --cross-check --db run.sqlite -- sh -c '. /bed/qemu; {command}' &
collector=$!
{then}
wait $collector
status=$?
cat serial
exit $status
"""


def web(machine, options, append):
    """A VM called web-1, with a monitor."""
    return (f"exec_qemu {machine} -name guest=web-1 -serial file:serial {QMP} {GUEST} "
            f'{options} -append "{append}"')


# What must hold


def cpuid_of_guest(setup):
    """The records of the guest's own CPUID instructions."""
    return (f"basic_reason = {10 if setup.isa == VMX else 0x72} AND key = 1 "
            f"AND key_aux = {WORK_SUBLEAF}")


def out_of_guest(setup):
    return (f"basic_reason = {30 if setup.isa == VMX else 0x7b} AND key = {WORK_PORT} "
            "AND key_aux = 1")


def verified(outcome, without=()):
    """Every source of the cross-check agrees with the recording, without a rest."""
    equations, _ = xcheck_cases.verify(outcome.folder / "run.sqlite")
    outcome.see(xcheck_cases.has_equations(
        equations, [name for name in xcheck_cases.SOURCES if name not in without]))


def complete(outcome):
    """Every exit from a VM's first to its last."""
    outcome.see(checks.is_sound(outcome.recording))
    outcome.see(checks.in_sequence(outcome.recording))
    outcome.no_drops()


def work_done(outcome, vcpus, recording=None):
    """Each vCPU of a VM has done its work once, and every piece of it is there."""
    recording = recording or outcome.recording
    for what in (cpuid_of_guest(outcome.setup), out_of_guest(outcome.setup)):
        rows = recording.all(f"SELECT count(*) FROM exits WHERE {what} GROUP BY vm, vcpu_id")
        expect_equal(f"{what} of each vCPU", [row[0] for row in rows], [WORK_COUNT] * vcpus)
    outcome.see(f"{vcpus} times the guest's work")


def is_called(recording, *names):
    """The VMs of the recording, by QEMU's -name."""
    expect_equal("names", [tuple(row) for row in recording.all(
        "SELECT name, name_source FROM vms ORDER BY name")], [(name, "qemu") for name in names])


# From the first exit to the last


@case("QEMU microvm, the collector's command",
      "collector --cross-check --db run.sqlite -- qemu-system-x86_64 -machine microvm,accel=kvm "
      "-cpu host -smp 2 -m 64 -name guest=web-1 -nodefaults -no-user-config -display none "
      f"-no-reboot -serial stdio {GUEST} -append cpus=2", **ON_QEMU)
def microvm(outcome):
    """QEMU as a user starts it: every exit from its first to its last, and its name."""
    outcome.says("guest: done")
    is_called(outcome.recording, "web-1")
    complete(outcome)
    work_done(outcome, 2)
    verified(outcome)


@case("QEMU q35 and KVM's statistic",
      recorded(web("q35", "-smp 2 -no-shutdown", "cpus=2 reasons=10,30,114,123"), """\
qmp_wait 4444 shutdown
qmp_stats 4444
qmp 4444 quit"""), **ON_QEMU)
def q35(outcome):
    """The statistic that QEMU itself reads is the number of the records; the guest's leaves."""
    outcome.says("guest: done")
    complete(outcome)
    outcome.accounts_for()
    work_done(outcome, 2)
    undefined = SVM_REASONS if outcome.setup.isa == VMX else ()
    outcome.see(checks.leaves_agree(outcome.recording, outcome.setup.isa, outcome.log, undefined))
    verified(outcome)


@case("QEMU hot-plugs a vCPU",
      recorded(web("q35", "-smp 1,sockets=2,cores=1,threads=1,maxcpus=2 -no-shutdown", "cpus=2"),
               """\
wait_for "guest: up" serial
qmp 4444 device_add '{"driver": "host-x86_64-cpu", "id": "second", "socket-id": 1, "core-id": 0, \
"thread-id": 0}'
qmp_wait 4444 shutdown
qmp_stats 4444
qmp 4444 quit"""), **ON_QEMU)
def hot_plug(outcome):
    """A vCPU that comes later is recorded from its first exit on."""
    outcome.says("guest: done")
    complete(outcome)
    outcome.accounts_for()
    work_done(outcome, 2)
    verified(outcome)


PAUSE_S = 2


@case("QEMU stops and goes on",
      recorded(web("q35", "-smp 2", "cpus=2 forever"), f"""\
wait_for "all vCPUs run" serial
qmp 4444 stop
qmp_stats 4444 >before
sleep {PAUSE_S}
qmp_stats 4444 | cmp before - || echo "it runs while it is stopped"
qmp 4444 cont
sleep 1
qmp 4444 stop
qmp_stats 4444
qmp 4444 quit"""), **ON_QEMU)
def stop_and_cont(outcome):
    """While a VM is stopped no vCPU exits, and that time is user space's."""
    expect("it runs while" not in outcome.log, "exits of a VM that is stopped")
    complete(outcome)
    outcome.accounts_for()
    # A second less, because clock and TSC need not agree in an emulator.
    rows = outcome.recording.all("SELECT DISTINCT vcpu_id FROM exits WHERE "
                                 f"userspace_ns > {(PAUSE_S - 1) * 1_000_000_000}")
    expect_equal("vCPUs that stood still", sorted(row[0] for row in rows), [0, 1])
    verified(outcome)


@case("QEMU is killed",
      recorded(web("q35", "-smp 2 -pidfile pid", "cpus=2 forever"), """\
wait_for "all vCPUs run" serial
sleep 1
kill -9 "$(cat pid)\"""").replace("exit $status", "[ $status = 137 ]"), **ON_QEMU)
def sigkill(outcome):
    """SIGKILL of QEMU: the recording is complete, and the collector has QEMU's exit status."""
    complete(outcome)
    is_called(outcome.recording, "web-1")
    expect_equal("vCPUs that have ended", outcome.recording.one("SELECT sum(ended) FROM vcpu"), 2)
    verified(outcome)


# Several VMs, and one that runs


# A VM that is gone before the collector has its turn has no name: they stay for a moment.
THREE = """. /bed/qemu
names="web-1 web-2 db-1"
rm -f $names *.pid
for name in $names; do
	(exec_qemu microvm -name guest=$name -serial file:$name -pidfile $name.pid -no-shutdown \
		-kernel /l2/qemu_guest) &
done
for name in $names; do wait_for "guest: done" $name; done
sleep 1
kill $(cat *.pid)
wait"""


@case("QEMUs by name", f"""\
cat >three <<'END'
{THREE}
END
collector --vm web-1 --db one.sqlite -- sh three &&
	collector --vm 'web-*' --db web.sqlite -- sh three &&
	collector --db run.sqlite -- sh three
""", unrecorded="VMs of other names are not recorded", **ON_QEMU)
def by_name(outcome):
    """--vm NAME records that VM alone, and the analyzer says which one is which."""
    complete(outcome)
    everybody = ("db-1", "web-1", "web-2")
    for file, names in (("one", ("web-1",)), ("web", ("web-1", "web-2")), ("run", everybody)):
        recording = outcome.database(f"{file}.sqlite")
        is_called(recording, *names)
        work_done(outcome, len(names), recording)

    result = subprocess.run([xcheck_cases.ANALYZER, "--db", outcome.folder / "run.sqlite",
                             "top-exits", "--by", "vm", "--format", "csv"],
                            capture_output=True, text=True, check=False)
    shown = {row["vm_name"] for row in csv.DictReader(io.StringIO(result.stdout))}
    expect(shown >= set(everybody), f"top-exits --by vm shows {shown}: {result.stderr.strip()}")


@case("QEMU, attached", f"""\
. /bed/qemu
({web("q35", "-smp 2", "cpus=2 forever")}) >/dev/null 2>&1 &
qemu=$!
wait_for "all vCPUs run" serial
collector --cross-check --vm web-1 --db run.sqlite --duration 2s
status=$?
qmp 4444 query-status
qmp 4444 quit
wait $qemu
exit $status
""", unrecorded=LEFT_RUNNING, **ON_QEMU)
def attached(outcome):
    """A collector that comes to a running QEMU, by its name, and leaves it running."""
    outcome.says('"status": "running"')
    outcome.see(checks.is_sound(outcome.recording))
    outcome.see(checks.in_sequence(outcome.recording, from_creation=False))
    is_called(outcome.recording, "web-1")
    unread = outcome.sum("unread")
    expect(unread > 2 * WORK_COUNT, f"only {unread} exits before")
    outcome.see(f"{unread} exits before")
    for vcpu in (0, 1):
        number = outcome.recording.one("SELECT count(*) FROM exits WHERE "
                                       f"{out_of_guest(outcome.setup)} AND vcpu_id = {vcpu}")
        expect(number > WORK_COUNT, f"only {number} pieces of work of vCPU {vcpu}")
    verified(outcome, without=("kvm_stat_run", "cycles", "cpu", "cpu_fields"))


@case("QEMU migrates", """\
cat >both <<'END'
. /bed/qemu
(""" + web("q35", "-smp 2", "cpus=2 forever") + """) &
wait_for "all vCPUs run" serial
(""" + web("q35", "-smp 2", "cpus=2 forever").replace(QMP, ANOTHER_QMP).replace(
    "file:serial", "file:arrival") + """ -incoming tcp:127.0.0.1:5555) &
wait
END
""" + recorded(". ./both", """\
wait_for "all vCPUs run" serial
qmp_wait 4445 inmigrate
qmp 4444 migrate '{"uri": "tcp:127.0.0.1:5555"}'
qmp_wait 4444 postmigrate
qmp_wait 4445 running
sleep 1
qmp 4445 stop
for port in 4444 4445; do
	qmp_stats $port
	qmp $port quit
done"""), **ON_QEMU)
def migration(outcome):
    """A guest that goes on in another process: the exits of both VMs, which have one name."""
    complete(outcome)
    outcome.accounts_for_sum()
    is_called(outcome.recording, "web-1", "web-1")
    rows = outcome.recording.all(f"SELECT count(*) FROM exits WHERE {out_of_guest(outcome.setup)} "
                                 "GROUP BY vm, vcpu_id")
    expect_equal("vCPUs that have worked", len(rows), 4)
    verified(outcome)


# Linux, which reads the leaves with Debian's cpuid


@case("QEMU microvm, Linux reads the leaves", f"""\
. /bed/qemu
collector --cross-check --db run.sqlite -- sh -c '. /bed/qemu; exec_qemu microvm -smp 2 -m 128 \\
	-name guest=linux -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=1 \\
	-kernel /l2/bzImage -initrd /l2/initramfs \\
	-append "console=ttyS0 quiet noxsave rdinit=/init leaf_reasons=10,114"'
[ $? = 1 ] # guest_exit 0
""", **ON_QEMU)
def linux(outcome):
    """With -cpu host the guest has the leaves; the other vCPU may exit while one is read."""
    outcome.says("L2 done")
    complete(outcome)
    is_called(outcome.recording, "linux")

    reads = outcome.recording.all("SELECT tsc, tsc + cycles AS end FROM exits WHERE key = "
                                  f"{0x4fffffff} AND reason_name = 'CPUID' ORDER BY tsc")
    totals = [reading[2] for reading in checks.leaf_readings(outcome.log)
              if reading[0] == 0x4fffffff]
    expect(len(totals) == 2 and len(reads) >= 2, f"{len(totals)} totals, {len(reads)} CPUID exits")
    for total, row in ((totals[0], reads[0]), (totals[-1], reads[-1])):
        low, high = (outcome.recording.one("SELECT count(*) FROM exits WHERE tsc <= ?", tsc)
                     for tsc in row)
        expect(low <= total <= high, f"the guest read {total} exits, of {low} to {high}")
    outcome.see(f"the guest has read {totals[-1]} exits")
    verified(outcome)


# README.md


def steps():
    """The commands of README.md's section on QEMU, but not the one that starts the machine."""
    text = (ROOT / "README.md").read_text()
    section = re.search(r"^## A QEMU guest, step by step\n(.*?)^## ", text,
                        re.DOTALL | re.MULTILINE).group(1)
    blocks = re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)
    return "".join(block for block in blocks if "testbed/run" not in block)


@case("QEMU, step by step as in README.md", "set -e\n" + steps(), unrecorded=LEFT_RUNNING,
      **{**ON_QEMU, "machine": (*ON_QEMU["machine"], f"--add={xcheck_cases.ANALYZER}")})
def readme(outcome):
    """Word for word; each command succeeds."""
    complete(outcome)
    is_called(outcome.recording, "web-1")
    work_done(outcome, 2)

    running = outcome.database("web-2.sqlite")
    outcome.see(checks.is_sound(running))
    is_called(running, "web-2")
    expect(re.search(r"^web-2 .*100\.0 %", outcome.log, re.MULTILINE), "top-exits lacks web-2")


def quick(setup):
    return [] if setup.isa == VMX else [microvm, q35]


def full(setup):
    """Those that are not in quick(setup)."""
    if not setup.has_all_cases:
        return [microvm]
    everything = [microvm, q35, hot_plug, stop_and_cont, sigkill, by_name, attached, migration,
                  linux, readme]
    return [one for one in everything if one not in quick(setup)]
