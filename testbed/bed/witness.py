# SPDX-License-Identifier: GPL-2.0-only
"""The exits that the emulated CPU itself has counted: their file, and the judge of recordings."""

import json
import struct
import subprocess

from . import BedError, built
from .case import KVM_COUNTS_THEM
from .checks import expect, expect_equal, kvm_exits

# struct witness_file of witness/witness.h, up to unpaired
HEAD = struct.Struct("<QIIIIIIQQQ")
HEAD_BYTES = 128
MAGIC = 0x5353454E54495731


def trim(path):
    """Cuts the file of an emulator that has ended, sparse and large, to what is in it."""
    if not path.exists():
        return
    with open(path, "r+b") as file:
        head = file.read(HEAD.size)
        if len(head) < HEAD.size:
            return
        magic, _, exit_bytes, *_, count, _, _ = HEAD.unpack(head)
        if magic == MAGIC:
            file.truncate(HEAD_BYTES + exit_bytes * count)


def judge(witness, databases, begin=None, end=None, options=()):
    """What witness/judge says, as a dictionary (main.c print_json()).

    begin, end: TSC of the time in which the exits of these recordings can lie.
    """
    window = f"{begin or 0}:{(1 << 64) - 1 if end is None else end}"
    result = subprocess.run([built("testbed/witness", "judge"), "--json", "--window", window,
                             *options, witness, *databases],
                            capture_output=True, text=True, check=False)
    if result.returncode not in (0, 1):
        raise BedError(result.stderr.strip() or f"judge ended with {result.returncode}")
    return json.loads(result.stdout)


def faults(found):
    """One line for each kind of fault that judge() has found."""
    return [f"{fault['n']} {fault['what']}; first: {fault['first']}"
            for database in found["databases"] for fault in database.get("faults", ())]


def says(found):
    """What was seen to hold, in one line."""
    judged = [database for database in found["databases"] if "skipped" not in database]
    records = sum(database["matched"] for database in judged)
    unmatched = sum(database["unmatched"] for database in judged)
    fields = sum(database["fields"] for database in judged)
    counted = f" + {unmatched} counted" if unmatched else ""
    return (f"the CPU's {found['accounted']} exits = {records} records{counted}, "
            f"{fields} fields equal")


class Boot:
    """What the CPU says of the cases of one boot, each in its own time.

    A case's time is from its own beginning to that of the next, so that what it has left
    running is its own. folders: of the cases; the file begin in each has the TSC.
    """

    def __init__(self, file, folders):
        self._file = file
        self._folders = folders
        self._judged = self._exits = self._accounted = 0
        self._unrecorded = []

    def _window(self, number):
        begins = [int((folder / "begin").read_text()) if (folder / "begin").is_file() else None
                  for folder in self._folders[number:number + 2]]
        end = begins[1] if len(begins) > 1 else None
        return begins[0], None if end is None else end - 1

    def of_case(self, case, number):
        """What was seen; raises Wrong if a recording differs from the CPU's own account."""
        folder = self._folders[number]
        # Not stored where a check is about a database as a killed collector has left it.
        found = judge(self._file, sorted(folder.glob("*.sqlite")), *self._window(number),
                      options=["--others"] if case.unrecorded else ["--store"])
        without = found["exits"] - found["accounted"]
        self._judged += 1
        self._exits += found["exits"]
        self._accounted += found["accounted"]

        wrong = faults(found)
        expect(not wrong, "the CPU's own account differs: " + "; ".join(wrong))
        expect(case.unrecorded or not without,
               f"the CPU made {without} of its {found['exits']} exits outside of any recording")
        if case.unrecorded == KVM_COUNTS_THEM:
            log = (folder / "log").read_text(errors="replace")
            expect_equal("the CPU's exits", found["exits"],
                         sum(number for _, number in kvm_exits(log)))
        if without:
            self._unrecorded.append(f"{without} of '{case.name}' ({case.unrecorded})")
        texts = [says(found)] if found["accounted"] or not without else []
        if without:
            texts.append(f"{without} exits of the CPU without a recording: {case.unrecorded}")
        return "; ".join(texts)

    def of_boot(self):
        """What was seen of the exits since power-on; raises Wrong if one belongs to no case."""
        found = judge(self._file, [])
        expect_equal("cases judged", self._judged, len(self._folders))
        expect_equal("exits of the CPU in all cases", self._exits, found["exits"])
        return (f"{found['exits']} = {self._accounted} recorded or counted + "
                f"{self._exits - self._accounted} on purpose without a recording"
                + "".join(f"; {text}" for text in self._unrecorded))
