# SPDX-License-Identifier: GPL-2.0-only
"""life_changes.py - changes of a piece of a recording, and what equation life says of each

Each function with @change takes a Piece and changes it; CHANGES has them all. First those that
leave a life that an exit can have; then the others: the order of records and their times, flags,
and what goes with them.
"""

import dataclasses

FASTPATH, NESTED, USER, SYNTH, NO_REENTRY, TSC_BACK, HALTED, PREEMPTED, POLLED = (
    0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x4000)
PARTS = {HALTED: "halted_cycles", USER: "userspace_cycles", PREEMPTED: "preempted_cycles",
         POLLED: "polled_cycles"}
FAILED_ENTRY = 0x80000021
ENTRY_FAILS = 1 << 31
ROWS = 9    # per piece
VICTIM = 4  # the row that is changed


@dataclasses.dataclass
class Piece:
    """Consecutive rows of a vCPU, as {column: value}; and what the vCPU is known to have."""

    rows: list
    ended: int = 0
    vmfail: int = 0
    filtered: int = 0
    lost: list = dataclasses.field(default_factory=list)  # (first seq, n)

    @property
    def victim(self):
        return self.rows[VICTIM]

    def end_before(self):
        """The TSC at which the exit before the victim ended."""
        before = self.rows[VICTIM - 1]
        return before["tsc"] + before["cycles"]

    def renumber(self):
        for number, row in enumerate(self.rows):
            row["seq"] = self.rows[0]["seq"] + number


CHANGES = []  # (name, function, what life says of it or None: it is possible)


def change(says, name=None):
    """says: a pattern of life's explanation; None: a life that is possible"""
    def add(function):
        CHANGES.append((name or function.__name__.replace("_", " "), function, says))
        return function
    return add


def add_part(row, flag, cycles):
    row["flags"] |= flag
    row[PARTS[flag]] = cycles
    if flag != POLLED:
        row["cycles"] += cycles


def without_parts(row):
    """An exit that KVM handled at once."""
    for flag, column in PARTS.items():
        row["flags"] &= ~flag
        row["cycles"] -= row[column] or 0 if flag != POLLED else 0
        row[column] = 0
    row["flags"] &= ~FASTPATH


# What is possible


@change(None)
def nothing(piece):
    pass


@change(None)
def a_fastpath(piece):
    piece.victim["flags"] |= FASTPATH


@change(None, "a fastpath whose KVM_RUN returned")
def fastpath_user(piece):
    add_part(piece.victim, USER, 1)
    piece.victim["flags"] |= FASTPATH
    make_room(piece)


@change(None)
def halted_and_polled(piece):
    add_part(piece.victim, HALTED, 100)
    add_part(piece.victim, POLLED, 40)
    make_room(piece)


@change(None, "all at once")
def everything(piece):
    for flag in PARTS:
        add_part(piece.victim, flag, 100)
    piece.victim["flags"] |= FASTPATH
    make_room(piece)


@change(None)
def a_synthesized_exit(piece):
    make_synthesized(piece)


@change(None)
def a_synthesized_exit_after_a_VMfail(piece):
    make_synthesized(piece)
    piece.vmfail = 1
    piece.rows[VICTIM - 1]["cycles"] -= 1


@change(None)
def a_synthesized_exit_with_a_filter(piece):
    make_synthesized(piece)
    piece.filtered = 1
    piece.rows[VICTIM - 1]["cycles"] -= 1


@change(None)
def a_synthesized_exit_after_a_fastpath(piece):
    make_synthesized(piece)
    piece.rows[VICTIM - 1]["flags"] |= FASTPATH


@change(None)
def a_synthesized_exit_after_a_gap(piece):
    a_record_dropped_with_a_gap(piece)
    make_synthesized(piece)
    piece.victim["tsc"] += 1


@change(None)
def an_entry_that_failed(piece):
    piece.victim["reason"] = FAILED_ENTRY


@change(None)
def a_TSC_that_went_back(piece):
    set_back(piece)


@change(None)
def a_record_dropped_with_a_gap(piece):
    piece.lost.append((piece.victim["seq"], 1))
    del piece.rows[VICTIM]


@change(None, "the last record dropped, of a vCPU that is destroyed")
def last_dropped(piece):
    last = piece.rows.pop()
    piece.ended = 1
    piece.lost.append((last["seq"], 1))


@change(None)
def a_vCPU_destroyed(piece):
    destroy(piece)


@change(None, "a record dropped without a gap")  # the totals have it: records, store, losses
def dropped_without_gap(piece):
    del piece.rows[VICTIM]
    piece.renumber()


@change(None, "another reason")  # the totals have it: reasons, match
def other_reason(piece):
    piece.victim["reason"] = 28


def make_room(piece):
    """What comes after the victim moves away from its end."""
    for row in piece.rows[VICTIM + 1:]:
        row["tsc"] += 1000


def make_synthesized(piece):
    without_parts(piece.victim)
    piece.victim.update(reason=FAILED_ENTRY, tsc=piece.end_before(),
                        flags=piece.victim["flags"] | SYNTH)


def set_back(piece):
    piece.victim["flags"] |= TSC_BACK | USER
    piece.victim.update(dict.fromkeys(PARTS.values(), 0), cycles=0)
    for row in piece.rows[VICTIM + 1:]:
        row["tsc"] -= 10_000_000


def destroy(piece):
    last = piece.rows[-1]
    without_parts(last)
    add_part(last, USER, 100)
    last["flags"] |= NO_REENTRY
    piece.ended = 1


# What is not: the order of records and their times


@change(r"exit IN STATE \w+: SEQ \d+ CAME BEFORE IT")
def two_records_exchanged(piece):
    rows = piece.rows
    rows[VICTIM], rows[VICTIM + 1] = rows[VICTIM + 1], rows[VICTIM]


@change(r"exit IN STATE in_guest: \d+ CYCLES BEFORE THE END",
        "two records exchanged except for seq")
def exchanged_times(piece):
    two_records_exchanged(piece)
    piece.renumber()


@change(r"exit IN STATE in_guest: SEQ \d+ CAME BEFORE IT")
def a_record_doubled(piece):
    piece.rows.insert(VICTIM, dict(piece.victim))


@change(r"exit IN STATE in_guest: \d+ CYCLES BEFORE THE END", "a record doubled except for seq")
def doubled_and_numbered(piece):
    a_record_doubled(piece)
    piece.renumber()


@change(r"exit IN STATE in_guest: SEQ \d+ CAME BEFORE IT")
def a_seq_again(piece):
    piece.victim["seq"] -= 1


@change(r"exit IN STATE in_guest: 1 CYCLES BEFORE THE END OF THE EXIT BEFORE IT")
def an_exit_inside_another(piece):
    piece.victim["tsc"] = piece.end_before() - 1


@change(r"exit IN STATE in_guest: \d+ CYCLES BEFORE THE END", "an exit inside another, after a gap")
def inside_after_gap(piece):
    piece.lost.append((piece.victim["seq"], 1))
    del piece.rows[VICTIM]
    piece.victim["tsc"] = piece.end_before() - 1


@change(r"exit IN STATE in_guest: 0 CYCLES BEFORE THE END OF THE EXIT BEFORE IT")
def cycles_up_to_the_next_exit(piece):
    after = piece.rows[VICTIM + 1]
    without_parts(piece.victim)
    piece.victim["cycles"] = after["tsc"] - piece.victim["tsc"]


@change(r"synthesize IN STATE handled: 1 CYCLES AFTER THE END OF THE EXIT BEFORE IT")
def a_synthesized_exit_after_the_guest_ran(piece):
    make_synthesized(piece)
    piece.rows[VICTIM - 1]["cycles"] -= 1


@change(r"synthesize IN STATE handled: 1 CYCLES BEFORE THE END OF THE EXIT BEFORE IT")
def a_synthesized_exit_too_early(piece):
    make_synthesized(piece)
    piece.victim["tsc"] -= 1


# ... flags, time, and what they go with


def a_flag_added(flag, event):
    def function(piece):
        without_parts(piece.victim)
        piece.victim["flags"] |= flag

    # Polling is part of being halted, which the automaton has.
    says = "NOT POSSIBLE" if flag == POLLED else "A FLAG WITHOUT CYCLES"
    state = "halted" if flag == POLLED else "handled"
    change(fr"{event} IN STATE (handled|{state}): {says}", f"flag {PARTS[flag]} added")(function)


def a_flag_removed(flag, event):
    def function(piece):
        without_parts(piece.victim)
        if flag == POLLED:
            add_part(piece.victim, HALTED, 100)
        add_part(piece.victim, flag, 100)
        piece.victim["flags"] &= ~flag
        make_room(piece)

    change(fr"{event} IN STATE \w+: 100 CYCLES WITHOUT A FLAG",
           f"flag {PARTS[flag]} removed")(function)


def a_part_lost(flag, event):
    def function(piece):
        without_parts(piece.victim)
        if flag == POLLED:
            add_part(piece.victim, HALTED, 100)
        add_part(piece.victim, flag, 100)
        piece.victim[PARTS[flag]] = 0
        make_room(piece)

    change(fr"{event} IN STATE \w+: A FLAG WITHOUT CYCLES", f"{PARTS[flag]} lost")(function)


for add_changes in (a_flag_added, a_flag_removed, a_part_lost):
    for part, its_event in ((HALTED, "halt"), (USER, "run_end"), (PREEMPTED, "wait"),
                            (POLLED, "poll")):
        add_changes(part, its_event)


@change(r"poll IN STATE handled: NOT POSSIBLE")
def polled_and_not_halted(piece):
    add_part(piece.victim, POLLED, 40)


@change(r"destroy IN STATE handled: NOT POSSIBLE", "NO_REENTRY added")
def end_added(piece):
    without_parts(piece.victim)
    piece.victim["flags"] |= NO_REENTRY


@change(r"entry IN STATE gone: NOT POSSIBLE", "NO_REENTRY added to an exit to user space")
def end_of_user_added(piece):
    without_parts(piece.victim)
    add_part(piece.victim, USER, 100)
    piece.victim["flags"] |= NO_REENTRY
    make_room(piece)


@change(r"entry IN STATE gone: NOT POSSIBLE", "a record of a vCPU that is gone, after a gap")
def after_the_end(piece):
    end_of_user_added(piece)
    del piece.rows[VICTIM + 1]


@change(r"destroy IN STATE handled: NOT RECORDED", "NO_REENTRY removed")
def end_removed(piece):
    destroy(piece)
    piece.rows[-1]["flags"] &= ~NO_REENTRY


@change(r"synthesize IN STATE handled: \d+ CYCLES AFTER THE END", "SYNTH added")
def synth_added(piece):
    piece.victim["flags"] |= SYNTH


@change(r"\w+ IN STATE in_guest: 0 CYCLES BEFORE THE END", "SYNTH removed")
def synth_removed(piece):
    make_synthesized(piece)
    piece.victim["flags"] &= ~SYNTH


@change(r"handle_fast IN STATE synthesized: NOT POSSIBLE")
def a_synthesized_exit_with_a_fastpath(piece):
    make_synthesized(piece)
    piece.victim["flags"] |= FASTPATH


@change(r"handle IN STATE \w+: TSC_BACK WITH \d+ CYCLES", "TSC_BACK added")
def back_added(piece):
    piece.victim["flags"] |= TSC_BACK


@change(r"run_end IN STATE handled: A FLAG WITHOUT CYCLES", "TSC_BACK removed")
def back_removed(piece):
    set_back(piece)
    piece.victim["flags"] &= ~TSC_BACK
    for row in piece.rows[VICTIM + 1:]:
        row["tsc"] += 10_000_000


@change(r"handle IN STATE exited: NO CYCLES WITHOUT TSC_BACK")
def no_time_at_all(piece):
    without_parts(piece.victim)
    piece.victim["cycles"] = 0


@change(r"exit IN STATE in_guest: REASON 33 WITHOUT BIT 31")
def a_failed_entry_without_bit_31(piece):
    piece.victim["reason"] = FAILED_ENTRY & ~ENTRY_FAILS


@change(r"reject IN STATE in_guest: REASON 28 WITH BIT 31")
def another_exit_with_bit_31(piece):
    piece.victim["reason"] = 28 | ENTRY_FAILS
