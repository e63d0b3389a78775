# SPDX-License-Identifier: GPL-2.0-only
"""The cases: what runs in L1, and what must then hold in its recording."""

import dataclasses
import json
import re
import typing

from . import checks, xcheck_cases
from .witness import KVM_COUNTS_THEM
from .checks import SVM, VMX, expect, expect_equal

RECORD = "collector --db run.sqlite -- "
LEAF_REASONS = {VMX: (10, 12, 30, 31, 32, 48, 49), SVM: (0x72, 0x78, 0x7b, 0x7c, 0x400)}
# Holes of the manuals' tables, and wild ones (0x1000a: CPUID with a bit above the basic reason).
UNDEFINED_REASONS = {VMX: (35, 38, 42, 200, 0x1000a, 0xffffffff),
                     SVM: (0x300, 0x10072, 0xffffffff)}


@dataclasses.dataclass
class Case:
    """script: shell, run in a folder of its own in L1, its output in the file log.

    unrecorded: why the CPU makes exits here that no recording has; empty: it makes none.
    check(folder, setup): yields one line per thing seen to hold; raises checks.Wrong.
    before: shell, run before it (loading modules with other parameters).
    machine: options of testbed/run that it needs.
    """

    name: str
    script: str
    check: typing.Callable
    before: str = ""
    machine: tuple = ()
    unrecorded: str = ""


@dataclasses.dataclass
class Setup:
    """One boot of one machine."""

    machine: str
    kernel: str
    vendor_params: str = ""
    cpus: int = 1
    modules: str = ""  # as of testbed/run, instead of testbed/test's

    @property
    def isa(self):
        return VMX if self.machine == "bochs" else SVM

    @property
    def nested_paging(self):
        return not re.search(r"\b[en]pt=0", self.vendor_params)

    def __str__(self):
        return " ".join(filter(None, [self.machine, self.kernel, self.modules, self.vendor_params,
                                      f"{self.cpus} CPUs" if self.cpus > 1 else ""]))


def _mmio(setup):
    """MMIO at guest-physical 0xd0000: a nested fault each time, or a guest's page fault."""
    if not setup.nested_paging:
        reason = "basic_reason = 0 AND key = 14" if setup.isa == VMX else "basic_reason = 0x4e"
    elif setup.isa == VMX:
        reason = "basic_reason IN (48, 49) AND key = 0xd0000"
    else:
        reason = "basic_reason = 0x400 AND key = 0xd0000"
    return reason + " AND user_reason_name = 'MMIO'"


def exits_of(op, setup, real_mode=False):
    """The records that count times op must make, as a condition on the view exits."""
    vmx = setup.isa == VMX
    if vmx and real_mode and not setup.nested_paging and op in ("rdmsr", "wrmsr", "hlt"):
        # No unrestricted guest without EPT: real mode is virtual-8086 mode, where these
        # raise #GP before they could exit by themselves; KVM emulates them.
        return "basic_reason = 0 AND key = 13"
    return {
        "cpuid": f"basic_reason = {10 if vmx else 0x72} AND key = 1 AND key_aux = 5",
        "rdmsr": f"basic_reason = {31 if vmx else 0x7c} AND key = 0x277 AND key_aux = 0",
        "wrmsr": f"basic_reason = {32 if vmx else 0x7c} AND key = 0x277 AND key_aux = 1",
        "tsc_deadline": f"basic_reason = {32 if vmx else 0x7c} AND key = 0x6e0 AND key_aux = 1",
        "out": f"basic_reason = {30 if vmx else 0x7b} AND key = 0x10 AND key_aux = 0x01",
        "in": f"basic_reason = {30 if vmx else 0x7b} AND key = 0x12 AND key_aux = 0x14",
        "mmio_read": _mmio(setup),
        "mmio_write": _mmio(setup),
        "touch": (f"basic_reason = {48 if vmx else 0x400} AND key >= 0x40000000 AND "
                  "key_aux & 2 = 2"),
        "hlt": f"basic_reason = {12 if vmx else 0x78}",
        "vmcall": "basic_reason = 18 AND key = 0x7777",
        "vmmcall": "basic_reason = 0x81 AND key = 0x7777",
        "cr0": ("basic_reason = 28 AND key = 0 AND key_aux = 0" if vmx
                else "basic_reason IN (0x10, 0x65)"),
        "rdtsc": f"basic_reason IN ({'16, 51' if vmx else '0x6e, 0x87'})",
    }[op]


def ops_of(setup):
    ops = ["cpuid", "rdmsr", "wrmsr", "out", "in", "mmio_read", "mmio_write", "hlt", "cr0",
           "rdtsc", "vmcall" if setup.isa == VMX else "vmmcall"]
    return ops + (["touch"] if setup.nested_paging else [])


NESTED_LINE = re.compile(r"^L2\| .*exit_loop vcpu=0 .*\bexits=(\d+)", re.MULTILINE)


def recorded(folder):
    """(recording, log) of a case that must hold whatever it is about."""
    log = (folder / "log").read_text(errors="replace")
    expect_equal("exit status", (folder / "status").read_text().strip(), "0")
    recording = checks.Recording(folder / "run.sqlite")
    expect_equal("state of the run", recording.one("SELECT state FROM runs"), "complete")
    return recording, log


def has_params(recording, params):
    """The modules of the run had these parameters of kvm.ko, as sysfs shows them."""
    loaded = json.loads(recording.one("SELECT module_parameters FROM runs"))["kvm"]
    for param, value in (params or {}).items():
        expect_equal(f"parameter {param}", str(loaded.get(param)), value)


def sound(recording, log, from_creation=True):
    yield checks.is_sound(recording)
    yield checks.in_sequence(recording, from_creation)
    yield checks.accounts_for(recording, dict(checks.kvm_exits(log)))


def with_params(params):
    """Shell that reloads KVM with these parameters of kvm.ko; None: as it is."""
    if params is None:
        return ""
    text = " ".join(f"{name}={value}" for name, value in params.items())
    return f". /bed/functions; BED_KVM_PARAMS='{text}'; bed_unload && bed_load"


def loop(op, count, *options, name=None, params=None, vcpus=1):
    """count times op on each vCPU: so many records of its reason and sub-key.

    params: {name: value} of kvm.ko, loaded anew for this case.
    """
    def check(folder, setup):
        recording, log = recorded(folder)
        has_params(recording, params)
        yield from sound(recording, log)
        dropped = recording.one("SELECT sum(dropped) FROM coverage")
        wanted = 0 if op == "rdtsc" else count * vcpus
        if dropped:
            yield f"{dropped} dropped, so the count of {op} is not checked"
        else:
            yield checks.counts(recording, exits_of(op, setup, "real" in options), wanted)
    arguments = " ".join(["exit_loop", "--op", op, "--count", str(count), *options])
    if vcpus > 1:
        arguments += f" --vcpus {vcpus}"
    return Case(name or f"{op} x {count}", RECORD + arguments, check, with_params(params))


def leaves(isa, name, loops=("",), params=None, **how):
    """Guests read the leaves for defined and undefined reasons.

    loops: options of exit_loop, one VM after the other; how: of checks.leaves_agree.
    """
    def check(folder, setup):
        recording, log = recorded(folder)
        has_params(recording, params)
        yield checks.leaves_agree(recording, setup.isa, log, UNDEFINED_REASONS[isa], **how)
    reasons = ",".join(map(str, LEAF_REASONS[isa] + UNDEFINED_REASONS[isa]))
    commands = " && ".join(f"exit_loop --op out --count 50 {options} --read-leaves {reasons}"
                           for options in loops)
    return Case(name, f"{RECORD} sh -c '{commands}'", check, with_params(params))


def leaves_off():
    """cpuid_leaves=0: the four leaves are as any other that the CPU doesn't have."""
    def check(folder, setup):
        recording, log = recorded(folder)
        has_params(recording, {"cpuid_leaves": "N"})
        readings = checks.leaf_readings(log)
        expect_equal("readings", len(readings), 2)
        expect_equal("0x4fffffff and 0x4ffffffe", readings[0][2:], readings[1][2:])
        yield f"both leaves return {readings[0][2:]}"
    return Case("leaves turned off", RECORD + "exit_loop --op out --count 50 --read-leaves ''",
                check, with_params({"cpuid_leaves": "0"}))


def waits():
    """on_full=wait: a ring far too small loses nothing."""
    params = {"ring_records": "1024", "on_full": "wait"}

    def check(folder, setup):
        recording, log = recorded(folder)
        has_params(recording, params)
        yield from sound(recording, log)
        expect_equal("dropped", recording.one("SELECT sum(dropped) FROM coverage"), 0)
        yield checks.counts(recording, exits_of("cpuid", setup), 60000)
    return Case("on_full=wait, ring of 1024", RECORD + "exit_loop --op cpuid --count 60000", check,
                with_params(params))


def linux(isa):
    """Linux boots as L2 and reads the leaves with Debian's cpuid."""
    def check(folder, setup):
        recording, log = recorded(folder)
        expect("L2 done" in log, "L2 did not come to its end")
        yield from sound(recording, log)
        dropped = recording.one("SELECT sum(dropped) FROM coverage")
        if not dropped:
            yield checks.leaves_agree(recording, setup.isa, log)
    reasons = ",".join(map(str, LEAF_REASONS[isa]))
    return Case("Linux boots as L2", RECORD + f"vmm --append leaf_reasons={reasons} "
                "/l2/bzImage /l2/initramfs", check)


def nested(count):
    """L2 runs a guest of its own: that one's exits are marked, whoever handles them."""
    script = ("cat /l2/initramfs /l2/nested >/tmp/initramfs\n"
              "collector --cross-check --db run.sqlite -- vmm --tell-tsc --append "
              f"nested_loops={count} /l2/bzImage /tmp/initramfs")

    def check(folder, setup):
        recording, log = recorded(folder)
        expect("L2 done" in log, "L2 did not come to its end")
        yield from sound(recording, log)
        yield checks.counts(recording, exits_of("cpuid", setup) + " AND nested", count)
        seen_by_l2 = NESTED_LINE.search(log)
        expect(seen_by_l2, "exit_loop did not run in L2")
        exits = int(seen_by_l2.group(1))
        marked = recording.one("SELECT count(*) FROM exits WHERE nested")
        expect(exits <= marked, f"L2's KVM counts {exits} exits, but only {marked} are marked")
        yield f"{marked} exits of L3, of which L2's KVM has seen {exits}"
        entries = "basic_reason IN (20, 24)" if setup.isa == VMX else "basic_reason = 0x80"
        made = recording.one(f"SELECT count(*) FROM exits WHERE {entries} AND NOT nested")
        expect(made >= count, f"L2 has entered L3 {made} times only")
        equations, _ = xcheck_cases.verify(folder / "run.sqlite")
        yield xcheck_cases.has_equations(equations, xcheck_cases.SOURCES)
    return Case("a guest of the guest", script, check, machine=("--nested",))


def stock_vendor():
    """A stock vendor module on our kvm.ko: nothing is recorded, and that is said."""
    script = """\
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
rmmod $vendor kvm irqbypass && bed_load
"""

    def check(folder, setup):
        log = (folder / "log").read_text(errors="replace")
        expect_equal("exit status", (folder / "status").read_text().strip(), "0")
        for text in ("collector: a stock kvm-intel.ko or kvm-amd.ko runs on the kvm.ko",
                     "needed   modules", "exits are neither counted nor recorded",
                     "stock_vendor=N"):
            expect(text in log, f"not said: {text}")
        expect_equal("recorded", checks.Recording(folder / "run.sqlite").one(
            "SELECT count(*) FROM exits"), 0)
        yield checks.counts(checks.Recording(folder / "next.sqlite"), exits_of("out", setup), 10)
    return Case("a stock vendor module", script, check, unrecorded=KVM_COUNTS_THEM)


def split_userspace():
    """A VMM that sleeps 2 ms at each of 20 exits: that time is user space's."""
    def check(folder, setup):
        recording, log = recorded(folder)
        yield from sound(recording, log)
        low = recording.one("SELECT min(userspace_ns) FROM exits WHERE "
                            f"{exits_of('out', setup)}")
        expect(low >= 2_000_000, f"an exit with only {low} ns in user space")
        yield f"at least {low} ns each in user space"
    return Case("the VMM sleeps", RECORD + "exit_loop --op out --count 20 --sleep-us 2000", check)


def split_halted():
    """HLT until a 5 ms timer: that time is halted time."""
    def check(folder, setup):
        recording, log = recorded(folder)
        yield from sound(recording, log)
        condition = exits_of("hlt", setup, real_mode=True)
        yield checks.counts(recording, condition, 20)
        # A host that is late gives some ticks at once: not every HLT waits for one.
        longest = recording.one(f"SELECT max(halted_ns) FROM exits WHERE {condition}")
        expect(longest >= 2_000_000, f"no HLT exit was halted longer than {longest} ns")
        yield f"the longest HLT is halted {longest} ns"
        yield checks.counts(recording, f"NOT ({condition}) AND halted_cycles > 0", 0)
    return Case("HLT with a timer",
                RECORD + "exit_loop --op hlt --count 20 --mode real --timer-us 5000", check)


def split_preempted():
    """Two busy vCPUs on one CPU: each is scheduled out while runnable."""
    def check(folder, setup):
        recording, log = recorded(folder)
        yield from sound(recording, log)
        for row in recording.all("SELECT vcpu_id, count(*) AS n, sum(preempted_ns) AS ns FROM exits "
                                 "WHERE preempted_cycles > 0 GROUP BY vcpu_id"):
            yield f"vCPU {row['vcpu_id']} preempted {row['n']} times, {row['ns']} ns"
        n = recording.one("SELECT count(DISTINCT vcpu_id) FROM exits WHERE preempted_ns > 500000")
        expect_equal("vCPUs preempted for 0.5 ms and more at a time", n, 2)
    return Case("two vCPUs on one CPU",
                RECORD + "exit_loop --op nop --count 20000000 --vcpus 2 --pin 0", check)


def fastpath():
    """WRMSR of TSC_DEADLINE with an in-kernel APIC re-enters without handle_exit()."""
    def check(folder, setup):
        recording, log = recorded(folder)
        yield from sound(recording, log)
        condition = exits_of("tsc_deadline", setup)
        yield checks.counts(recording, condition, 100)
        yield checks.counts(recording, condition + " AND fastpath", 100)
    return Case("fastpath", RECORD + "exit_loop --op tsc_deadline --count 100 --irqchip", check)


def killed():
    """SIGKILL of the collector: what was flushed is there, and the next one records."""
    script = """\
collector --db run.sqlite -- exit_loop --op out --count 4000000000 &
sleep 3
kill -9 $!
wait $!
killall exit_loop
collector --db next.sqlite -- exit_loop --op cpuid --count 100
"""
    def check(folder, setup):
        expect_equal("exit status of the next one", (folder / "status").read_text().strip(), "0")
        recording = checks.Recording(folder / "run.sqlite")
        yield checks.is_sound(recording)
        yield checks.in_sequence(recording)
        expect(recording.one("SELECT count(*) FROM exits") > 1000, "almost nothing was flushed")
        expect(recording.one("SELECT state FROM runs") != "complete", "the run claims to be complete")
        following = checks.Recording(folder / "next.sqlite")
        yield checks.counts(following, exits_of("cpuid", setup), 100)
    return Case("collector killed", script, check,
                unrecorded="a killed collector stores nothing more")


def late():
    """A collector that comes while the guest runs: what it missed is counted as unread."""
    script = """\
exit_loop --op out --count 3000 --sleep-us 1000 &
sleep 1
""" + RECORD + """sh -c "while grep -q . /proc/$!/cmdline; do sleep 0.1; done"
wait $!
"""
    def check(folder, setup):
        recording, log = recorded(folder)
        yield from sound(recording, log, from_creation=False)
        unread = recording.one("SELECT sum(unread) FROM coverage")
        expect(0 < unread < 3000, f"{unread} exits unread")
        yield f"{unread} of them unread"
    return Case("collector comes late", script, check)


def pinned(cpu):
    """A vCPU on one CPU of L1: every record names that one."""
    def check(folder, setup):
        recording, log = recorded(folder)
        yield from sound(recording, log)
        yield checks.counts(recording, exits_of("cpuid", setup), 100)
        # What opens the VM runs on any CPU, but makes no exit.
        yield checks.counts(recording, f"pcpu <> {cpu}", 0)
    return Case(f"a vCPU on CPU {cpu}", RECORD + f"exit_loop --op cpuid --count 100 --pin {cpu}",
                check)


def destroyed():
    """VMs that come and go while one collector records: every exit of each."""
    script = RECORD + ("sh -c 'for n in 1 2 3 4 5 6 7 8 9 10; do "
                       "exit_loop --op cpuid --count 100 --vcpus 4 || exit 1; done'")

    def check(folder, setup):
        recording, log = recorded(folder)
        yield checks.is_sound(recording)
        yield checks.in_sequence(recording)
        expect_equal("rings", recording.one("SELECT count(*) FROM coverage"), 40)
        yield checks.counts(recording, exits_of("cpuid", setup), 4000)
        exits = sum(number for _, number in checks.kvm_exits(log))
        accounted = recording.one("SELECT sum(recorded + dropped + filtered + unread + open_exits "
                                  "+ vmfail) FROM coverage")
        expect_equal("exits accounted for", accounted, exits)
        yield f"KVM's {exits} exits"
    return Case("10 VMs of 4 vCPUs", script, check)


def wrong_input(name, command, says, prepare="", clean_up=""):
    """command ends with status 1 and one line that says why; it leaves no database."""
    script = f"{prepare}\n{command} >out.txt 2>err.txt; echo $? >code\n{clean_up}\n"

    def check(folder, setup):
        text = (folder / "err.txt").read_text(errors="replace")
        expect_equal("exit status", (folder / "code").read_text().strip(), "1")
        expect_equal(f"lines on stderr ({text.strip()})", len(text.splitlines()), 1)
        expect(re.search(says, text), f"{text.strip()!r} does not say {says!r}")
        expect(not (folder / "run.sqlite").exists(), "a database is left behind")
        yield text.strip()
    return Case(name, script, check)


def wrong_inputs():
    return [
        wrong_input("no permission", "su nobody -c 'collector --db run.sqlite --duration 1s'",
                    "[Pp]ermission", prepare="chmod 777 ."),
        wrong_input("another collector", "collector --db run.sqlite --duration 1s",
                    "another collector",
                    prepare="collector --db first.sqlite --duration 4s & sleep 2",
                    clean_up="wait"),
        wrong_input("no device", "collector --db run.sqlite --duration 1s", "kvm_exit_ring",
                    prepare=". /bed/functions; bed_unload", clean_up=". /bed/functions; bed_load"),
    ]


def reload_cycles(rounds):
    """Loading and unloading again and again, with a guest in between."""
    script = f"""\
. /bed/functions
for round in $(seq {rounds}); do
	bed_unload && bed_load || exit 1
	[ $((round % 10)) = 0 ] || continue
	{RECORD} exit_loop --op cpuid --count 100 || exit 1
	[ "$round" = {rounds} ] || rm -f run.sqlite*
done
"""
    def check(folder, setup):
        recording, _ = recorded(folder)
        yield checks.is_sound(recording)
        yield checks.counts(recording, exits_of("cpuid", setup), 100)
    return Case(f"{rounds} times unloaded and loaded", script, check, unrecorded=KVM_COUNTS_THEM)


def claims(name, program, params, before=""):
    """What the ABI header says, claim by claim (kvm/test/PROGRAM.c)."""
    def check(folder, setup):
        text = (folder / "log").read_text(errors="replace")
        last = (text.splitlines() or ["nothing"])[-1]
        expect_equal("exit status", (folder / "status").read_text().strip(), "0")
        expect(last.endswith("claims hold"), last)
        yield "; ".join([last] + [line for line in text.splitlines() if "skipped" in line])
    return Case(name, program, check, "\n".join(filter(None, [with_params(params), before])),
                unrecorded="the program reads its guests' rings itself")


def device_claims():
    small = {"ring_records": "4096"}
    return [claims("the device's claims", "device_test", small),
            claims("the device's memory", "memory_test", small),
            claims("the record's claims", "record_test", {},
                   "insmod /bed/modules/msr.ko 2>/dev/null")]


def quick(setup):
    cases = [loop(op, 100) for op in ops_of(setup)]
    cases += [leaves(setup.isa, "leaves in a loop"), linux(setup.isa), split_userspace(), split_halted(), split_preempted(),
              late(), killed(), *wrong_inputs()]
    if setup.isa == VMX:
        cases.append(fastpath())
    if setup.cpus == 1:
        cases += device_claims()
    else:
        cases.append(pinned(setup.cpus - 1))
    cases.append(stock_vendor())
    cases.append(loop("cpuid", 60000, name="cpuid x 60000, ring of 4096",
                      params={"ring_records": "4096"}))
    cases += xcheck_cases.quick(Case, setup)
    return cases


def full(setup):
    cases = [loop(op, 100, "--mode", "real", name=f"{op} x 100, real mode")
             for op in ops_of(setup) if op not in ("touch", "cr0")]
    cases += quick(setup)
    cases += [
        loop("cpuid", 300000, name="cpuid x 300000, default ring", params={}),
        loop("cpuid", 5000, vcpus=4, name="cpuid x 5000, 4 vCPUs at once"),
        destroyed(),
        leaves(setup.isa, "leaves with a second vCPU", ["--vcpus 2"]),
        leaves(setup.isa, "leaves of the second VM", ["", ""]),
        leaves(setup.isa, "leaves, leaf_scope=host", ["", ""], {"leaf_scope": "host"}, vms="all"),
        leaves(setup.isa, "leaves, leaf_time=handler", ["--sleep-us 500"],
               {"leaf_time": "handler"}, part="handler_cycles"),
        leaves_off(),
        waits(),
        nested(100),
        reload_cycles(50),
    ]
    cases += xcheck_cases.full(Case, setup)
    return cases
