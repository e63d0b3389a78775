# SPDX-License-Identifier: GPL-2.0-only
"""One instruction more in KVM's way through a CPUID exit, and what two recordings show of it."""

import collections
import csv
import io
import re
import shutil
import subprocess

from . import CACHE, ROOT, BedError, built
from .kernel import SERIES
from .recordings import open_recording

# Where the NOP goes: both vendors' modules handle CPUID by this function of kvm.ko.
FILE = "arch/x86/kvm/cpuid.c"
HANDLER = re.compile(r"^int kvm_emulate_cpuid\(struct kvm_vcpu \*vcpu\)\n\{\n(?:\t.*;\n)+",
                     re.MULTILINE)
NOP = '\n\tasm volatile("nop");\n'

# The parts of an exit's time in which KVM does not handle it. They end when something else does, a
# timer of L1 for example, which a longer way through KVM does not move.
OTHER_PARTS = ("halted_cycles", "userspace_cycles", "preempted_cycles")
TIMES = ("tsc", "cycles", *OTHER_PARTS)  # what may differ between the two recordings of an exit

COMPARED = "reason,name,exits_a,exits_b,handler_a,handler_b"  # columns of analyzer compare


def _build(*args):
    result = subprocess.run([ROOT / "kvm/build", *args], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL)
    if result.returncode:
        raise BedError(f"kvm/build ended with status {result.returncode} (above)")


def build(kernel, directory):
    """The folders (as they are, with the NOP) of a KVER's modules, built from the same path, so
    that they differ in nothing else."""
    cache = CACHE / "kvm-nop"
    source = cache / "source"
    _build("--kernel", kernel)  # unpacks the kernel's source, too
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(CACHE / "kvm" / f"source-{SERIES.match(kernel).group()}", source)

    folders = []
    for name in ("plain", "nop"):
        if name == "nop":
            add_nop(source / FILE)
        _build("--kernel", kernel, "--source", source, "--cache", cache, "--out",
               directory / name)
        folders.append(directory / name)
    return folders


def add_nop(path):
    """Changes the source file FILE. BedError if the handler is not in it."""
    text = path.read_text()
    changed, places = HANDLER.subn(lambda found: found.group() + NOP, text)
    if places != 1:
        raise BedError(f"{FILE}: {places} places for the NOP (bed/nop.py knows kvm_emulate_cpuid)")
    path.write_text(changed)


def _rows(path):
    db = open_recording(path)
    try:
        names = dict(db.execute("SELECT DISTINCT reason, reason_name FROM exits"))
        return names, db.execute("SELECT * FROM exit ORDER BY vcpu, seq").fetchall()
    finally:
        db.close()


def _handler_cycles(row):
    return row["cycles"] - sum(row[part] for part in OTHER_PARTS)


def differences(path, other_path):
    """{name of an exit reason: {cycles more in KVM's handler in the other recording: exits}}.
    BedError if the two are not of the same exits in the same order."""
    names, rows = _rows(path)
    _, others = _rows(other_path)
    found = collections.defaultdict(collections.Counter)
    if len(rows) != len(others):
        raise BedError(f"{len(rows)} exits without the NOP, {len(others)} with it")

    for row, other in zip(rows, others):
        unlike = [name for name in row.keys() if row[name] != other[name] and name not in TIMES]
        if unlike:
            raise BedError(f"exit {row['seq']} of vCPU {row['vcpu']} differs: {', '.join(unlike)}")
        found[names[row["reason"]]][_handler_cycles(other) - _handler_cycles(row)] += 1
    return found


def compare(path, other_path, form):
    """What analyzer compare says of the two recordings, as a table or as CSV."""
    command = [built("analyzer", "analyzer"), "compare", path, other_path, "--cycles",
               "--columns", COMPARED, "--format", form]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise BedError(f"analyzer compare: {done.stderr.strip()}")
    return done.stdout


def compared(text):
    """{name of an exit reason: cycles more per exit in KVM's handler} of compare()'s CSV. BedError
    if the two recordings have not as many exits of each."""
    more = {}
    for row in csv.DictReader(io.StringIO(text)):
        if row["exits_a"] != row["exits_b"]:
            raise BedError(f"{row['exits_a']} exits of {row['name']} without the NOP, "
                           f"{row['exits_b']} with it")
        cycles = float(row["handler_b_cycles"]) - float(row["handler_a_cycles"])
        more[row["name"]] = round(cycles, 5)  # means are printed with ten digits
    return more
