# SPDX-License-Identifier: GPL-2.0-only
"""What a case is: a script for L1, and a check of what it leaves there.

    @case("fastpath", RECORD + "exit_loop --op tsc_deadline --count 100 --irqchip")
    def fastpath(outcome):
        outcome.sound()
        outcome.counts(exits_of("tsc_deadline", outcome.setup), 100)

makes fastpath a Case. The script is a shell's in L1; the check runs outside, on what came out.
"""

import dataclasses
import functools
import json
import re
import typing

from . import checks
from .checks import SVM, VMX, expect, expect_equal
from .kernel import default_series

RECORD = "collector --db run.sqlite -- "

CASE_SECONDS = 300  # on a loaded host Linux boots slowly in TCG

# Case.unrecorded of guests whose exits KVM's own statistic counts: the log has it.
KVM_COUNTS_THEM = "KVM's statistic counts them"


@dataclasses.dataclass
class Setup:
    """One boot of one machine."""

    machine: str
    kernel: str
    vendor_params: str = ""
    cpus: int = 1
    modules: str = ""  # as for testbed/run, instead of testbed/test's
    seed: int = 0      # of what a case does at random

    @property
    def isa(self):
        return VMX if self.machine == "bochs" else SVM

    @property
    def nested_paging(self):
        return not re.search(r"\b[en]pt=0", self.vendor_params)

    @property
    def has_all_cases(self):
        """Whether it also has the cases that are the same on all series and kinds of paging: of the
        Bochs machines, which are slow, one has them."""
        return self.isa == SVM or (self.kernel == default_series() and self.nested_paging)

    def __str__(self):
        return " ".join(filter(None, [self.machine, self.kernel, self.modules, self.vendor_params,
                                      f"{self.cpus} CPUs" if self.cpus > 1 else ""]))


@dataclasses.dataclass
class Case:
    """script: shell, run in a folder of its own in L1, its output in the file log.

    check(outcome): raises checks.Wrong, or adds to outcome.seen.
    params: {name: value} of kvm.ko, loaded anew with them before the script; None: the default
        ones, loaded anew only if the case before has others.
    before: shell, run before the script and outside of its time limit.
    machine: options of testbed/run that it needs.
    unrecorded: why the CPU makes exits here that no recording has; empty: it makes none.
    one_cpu: with TCG it needs a machine of one CPU (README.md, Limits): Linux boots as L2, or
        firmware, which takes interrupts too; or readers come and go, so that static keys turn.
    seconds: of L1's time; then it is ended.
    """

    name: str
    script: str
    check: typing.Callable
    params: dict = None
    before: str = ""
    machine: tuple = ()
    unrecorded: str = ""
    one_cpu: bool = False
    seconds: int = CASE_SECONDS

    def prepare(self, loaded=None):
        """Shell that runs before the script. loaded: the parameters of the case before."""
        params = {} if self.params is None and loaded else self.params
        return "\n".join(filter(None, [load_with(params), self.before]))


def case(name, script, **more):
    """Makes the check below it a Case."""
    return lambda check: Case(name, script, check, **more)


def load_with(params):
    """Shell that loads KVM anew with these parameters of kvm.ko; None: nothing to do."""
    if params is None:
        return ""
    text = " ".join(f"{name}={value}" for name, value in params.items())
    # With other parameters the cases after it would hang, or prove nothing.
    return (f". /bed/functions; BED_KVM_PARAMS='{text}'; bed_unload wait_until && bed_load || "
            f"echo '@@fail KVM was not loaded with parameters \"{text}\"'")


class Outcome:
    """What a case has left in its folder, and what was seen to hold there."""

    def __init__(self, folder, setup, params=None):
        self.folder = folder
        self.setup = setup
        self.params = params
        self.seen = []

    def see(self, text):
        self.seen.append(text)

    @functools.cached_property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def database(self, name="run.sqlite"):
        return checks.Recording(self.folder / name)

    @functools.cached_property
    def recording(self):
        """run.sqlite of a script that went well: complete, with the modules' parameters."""
        self.ended_well()
        recording = self.database()
        expect_equal("state of the run", recording.one("SELECT state FROM runs"), "complete")

        loaded = json.loads(recording.one("SELECT module_parameters FROM runs"))["kvm"]
        for param, value in (self.params or {}).items():
            expect_equal(f"parameter {param}", str(loaded.get(param)), value)
        return recording

    def ended_well(self):
        expect_equal("exit status", (self.folder / "status").read_text().strip(), "0")

    def sound(self, from_creation=True):
        """Rows, roll-ups and numbers agree with each other and with KVM's statistic."""
        self.see(checks.is_sound(self.recording))
        self.see(checks.in_sequence(self.recording, from_creation))
        self.accounts_for()

    def accounts_for(self):
        """Every exit that KVM's statistics count is recorded or accounted for.

        A KVM without statistics of a vCPU (before Linux 5.14) does not count an exit after which
        a fastpath of VMX enters again at once. The cross-check says how many these are.
        """
        exits = dict(checks.kvm_exits(self.log))
        uncounted = 0
        if checks.ALL_VCPUS in exits and self.setup.isa == VMX:
            uncounted = (self.sum("dropped + filtered + unread") +
                         self.recording.one("SELECT count(*) FROM exits WHERE fastpath"))
        self.see(checks.accounts_for(self.recording, exits, uncounted))

    def accounts_for_sum(self):
        """Of several VMs, whose vCPUs have the same numbers: as many exits as KVM counts in all."""
        exits = sum(number for _, number in checks.kvm_exits(self.log))
        self.see(checks.accounts_for(self.recording, {checks.ALL_VCPUS: exits}))

    def counts(self, where, expected, recording=None):
        """The number of records WHERE where."""
        self.see(checks.counts(recording or self.recording, where, expected))

    def sum(self, column):
        """Of the vCPUs' counts, as view coverage has them."""
        return self.recording.one(f"SELECT sum({column}) FROM coverage")

    def no_drops(self):
        expect_equal("dropped", self.sum("dropped"), 0)

    def says(self, *texts):
        for text in texts:
            expect(text in self.log, f"the log does not say: {text}")
