# SPDX-License-Identifier: GPL-2.0-only
"""Cases of --source bpf on the stock modules: every exit that KVM counts has a full record."""

from . import cases, checks, xcheck_cases
from .cases import Case, exits_of
from .checks import VMX, expect, expect_equal

RECORD = "collector --source bpf --db run.sqlite -- "

# What the equations of analyzer verify need apart from the recording.
VERIFIED = ("records", "reasons", "cycles", "losses", "store")


def verified(folder):
    """analyzer verify finds nothing unexplained in the recording's own counts."""
    equations, _ = xcheck_cases.verify(folder / "run.sqlite")
    missing = [name for name in VERIFIED if name not in equations]
    expect(not missing, f"not compared: {', '.join(missing)}")
    return "verified"


def complete(folder):
    """A recording that has every exit of KVM's statistic; returns it and what was seen."""
    recording, log = cases.recorded(folder)
    expect_equal("source", recording.one("SELECT source FROM runs"), "bpf")
    seen = list(cases.sound(recording, log))
    expect_equal("dropped", recording.one("SELECT sum(dropped) FROM coverage"), 0)
    seen.append(verified(folder))
    return recording, seen


def loop(op, count, *options, vcpus=1):
    """count times op on each vCPU: as many records of its reason and sub-key."""
    def check(folder, setup):
        recording, seen = complete(folder)
        yield from seen
        wanted = 0 if op == "rdtsc" else count * vcpus
        yield checks.counts(recording, exits_of(op, setup), wanted)
    arguments = " ".join(["exit_loop", "--op", op, "--count", str(count), *options])
    if vcpus > 1:
        arguments += f" --vcpus {vcpus}"
    return Case(f"bpf: {arguments.removeprefix('exit_loop --op ')}", RECORD + arguments, check)


def chosen():
    """Without --source: the best that a host with stock modules has, and why."""
    def check(folder, setup):
        recording, log = cases.recorded(folder)
        expect_equal("source", recording.one("SELECT source FROM runs"), "bpf")
        says = "collector: --source bpf: ring: no /dev/kvm_exit_ring"
        expect(says in log, f"not said: {says}")
        yield checks.counts(recording, exits_of("cpuid", setup), 50)
    return Case("bpf: chosen by itself", "collector --db run.sqlite -- "
                "exit_loop --op cpuid --count 50", check)


def linux():
    """Linux boots as L2."""
    def check(folder, setup):
        log = (folder / "log").read_text(errors="replace")
        expect("L2 done" in log, "L2 did not come to its end")
        _, seen = complete(folder)
        yield from seen
    return Case("bpf: Linux boots as L2", RECORD + "vmm /l2/bzImage /l2/initramfs", check)


def with_bpf(case):
    """A case of the exit ring, recorded by BPF instead."""
    script = case.script.replace("collector --db", "collector --source bpf --db")
    return Case("bpf: " + case.name, script, case.check)


def attached():
    """To a VM that runs already, and leaves it while it runs."""
    def check(folder, setup):
        recording, _ = cases.recorded(folder)
        yield checks.is_sound(recording)
        yield checks.in_sequence(recording, from_creation=False)
        number = recording.one(f"SELECT count(*) FROM exits WHERE {exits_of('cpuid', setup)}")
        expect(number > 100, f"only {number} records")
        expect_equal("open exits", recording.one("SELECT sum(open_exits) FROM coverage"), 1)
        yield verified(folder)
    return Case("bpf: a running VM",
                "exit_loop --op cpuid --count 4000000000 >/dev/null & guest=$!; sleep 1; "
                "collector --source bpf --db run.sqlite --duration 1s; status=$?; "
                "kill $guest; exit $status", check)


def overflow():
    """A ring far too small: what is lost is counted, and the totals are exact."""
    def check(folder, setup):
        recording, log = cases.recorded(folder)
        yield from cases.sound(recording, log)
        dropped = recording.one("SELECT sum(dropped) FROM coverage")
        expect(dropped > 0, "nothing was dropped")
        yield f"{dropped} dropped"
        yield verified(folder)
    # The collector stands still for a while, and the guest goes on.
    script = ("collector --source bpf --ring-records 1024 --db run.sqlite -- "
              "sh -c 'kill -STOP $PPID; exit_loop --op cpuid --count 5000; kill -CONT $PPID'")
    return Case("bpf: ring of 1024, reader asleep", script, check)


def counts_only():
    """--counts-only: totals are exact, no exit has a record."""
    def check(folder, setup):
        recording, log = cases.recorded(folder)
        expect_equal("records", recording.one("SELECT count(*) FROM exits"), 0)
        yield checks.accounts_for(recording, cases.kvm_exits(log))
        filtered = recording.one("SELECT sum(filtered) FROM coverage")
        yield f"{filtered} exits counted"
    return Case("bpf: --counts-only", "collector --source bpf --counts-only --db run.sqlite -- "
                "exit_loop --op cpuid --count 1000", check)


def killed():
    """SIGKILL of the collector: nothing stays in the kernel, and the next one records."""
    script = """\
collector --source bpf --db run.sqlite -- exit_loop --op out --count 4000000000 &
sleep 4
kill -9 $!
wait $!
killall exit_loop
sleep 1
. /bed/functions
bed_unload && bed_load || exit 1
collector --source bpf --db next.sqlite -- exit_loop --op cpuid --count 100
"""
    def check(folder, setup):
        expect_equal("exit status of the next one", (folder / "status").read_text().strip(), "0")
        recording = checks.Recording(folder / "run.sqlite")
        yield checks.is_sound(recording)
        expect(recording.one("SELECT count(*) FROM exits") > 100, "almost nothing was flushed")
        following = checks.Recording(folder / "next.sqlite")
        yield checks.counts(following, exits_of("cpuid", setup), 100)
        yield "KVM could be unloaded at once"
    return Case("bpf: collector killed", script, check)


def refused():
    """Without privilege, without KVM, under lockdown: one line each, with the way out."""
    record = "collector --source bpf --db run.sqlite --duration 1s"
    return [
        cases.wrong_input("bpf: no privilege", f"su nobody -c '{record}'",
                          r"CAP_SYS_ADMIN missing \(run it as root", prepare="chmod 777 ."),
        cases.wrong_input("bpf: no KVM", record, r"KVM is not loaded \(modprobe",
                          prepare=". /bed/functions; bed_unload",
                          clean_up=". /bed/functions; bed_load"),
    ]


def locked_down():
    """The last case: lockdown can't be taken back."""
    lock = "mount -t securityfs none /sys/kernel/security; echo {} >/sys/kernel/security/lockdown"
    record = "collector --source bpf --db run.sqlite -- exit_loop --op cpuid --count 50"

    def check(folder, setup):
        recording, _ = cases.recorded(folder)
        yield checks.counts(recording, exits_of("cpuid", setup), 50)
    return [
        Case("bpf: lockdown=integrity", f"{lock.format('integrity')}; {record}", check),
        cases.wrong_input("bpf: lockdown=confidentiality", record, "lockdown=confidentiality",
                          prepare="echo confidentiality >/sys/kernel/security/lockdown"),
    ]


def quick(setup):
    ops = ["cpuid", "rdmsr", "out", "in", "mmio_write"] + (["touch"] if setup.nested_paging else [])
    return [*(loop(op, 100) for op in ops), chosen(), with_bpf(cases.split_userspace()),
            with_bpf(cases.split_halted()), attached(), overflow(), counts_only(), killed(),
            *refused(), *locked_down()]


def full(setup):
    more = [loop("cpuid", 60000), loop("cpuid", 5000, vcpus=4), linux(),
            with_bpf(cases.split_preempted()), with_bpf(cases.destroyed()),
            *(loop(op, 100) for op in cases.ops_of(setup))]
    if setup.isa == VMX:
        more.append(loop("tsc_deadline", 100, "--irqchip"))
    return more + quick(setup)
