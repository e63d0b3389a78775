# SPDX-License-Identifier: GPL-2.0-only
"""Cases of exit_loop: a guest does one thing N times, and N records of it must come."""

import functools

from . import checks
from .case import RECORD, Case
from .checks import SVM, VMX

LEAF_REASONS = {VMX: (10, 12, 30, 31, 32, 48, 49), SVM: (0x72, 0x78, 0x7b, 0x7c, 0x400)}
# Holes of the manuals' tables, and numbers beyond them (0x1000a: CPUID with a bit above the basic
# reason).
UNDEFINED_REASONS = {VMX: (35, 38, 42, 200, 0x1000a, 0xffffffff),
                     SVM: (0x300, 0x10072, 0xffffffff)}


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


def _check_loop(outcome, op, expected, is_real_mode):
    outcome.sound()
    dropped = outcome.sum("dropped")
    if dropped:
        outcome.see(f"{dropped} dropped, so the count of {op} is not checked")
    else:
        outcome.counts(exits_of(op, outcome.setup, is_real_mode), expected)


def loop(op, count, *options, name=None, params=None, vcpus=1):
    """count times op on each vCPU: as many records of its reason and sub-key."""
    arguments = ["exit_loop", "--op", op, "--count", str(count), *options]
    if vcpus > 1:
        arguments += ["--vcpus", str(vcpus)]
    expected = 0 if op == "rdtsc" else count * vcpus  # RDTSC does not exit
    return Case(name or f"{op} x {count}", RECORD + " ".join(arguments),
                functools.partial(_check_loop, op=op, expected=expected,
                                  is_real_mode="real" in options), params)


def _check_leaves(outcome, **how):
    isa = outcome.setup.isa
    outcome.see(checks.leaves_agree(outcome.recording, isa, outcome.log, UNDEFINED_REASONS[isa],
                                    **how))


def leaves(setup, name, loops=("",), params=None, **how):
    """Guests read the leaves for defined and undefined reasons.

    loops: options of exit_loop, one VM after the other; how: of checks.leaves_agree.
    """
    reasons = ",".join(map(str, LEAF_REASONS[setup.isa] + UNDEFINED_REASONS[setup.isa]))
    commands = " && ".join(f"exit_loop --op out --count 50 {options} --read-leaves {reasons}"
                           for options in loops)
    return Case(name, f"{RECORD} sh -c '{commands}'", functools.partial(_check_leaves, **how),
                params)
