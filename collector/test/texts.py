# SPDX-License-Identifier: GPL-2.0-only
"""texts.py - texts of recordings in the form of ftrace, for the tests import_*_test.py"""

FTRACE = """# tracer: nop
#
# entries-in-buffer/entries-written: {present}/{written}   #P:4
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""


def line(head, event):
    return f"{head}: {event}\n"


EXIT = ("kvm_exit: vcpu 0 reason MSR_READ rip 0xfff0 info1 0x0 info2 0x0 intr_info 0x0 "
        "error_code 0x0")


def ftrace_text(count, head, times):
    text = ""
    for i in range(count):
        text += line(head + times(2 * i), EXIT)
        text += line(head + times(2 * i), "kvm_msr: msr_read 277 = 0x70406")
        text += line(head + times(2 * i + 1), "kvm_entry: vcpu 0, rip 0xfff2")
    return text


def write(text):
    with open("x.txt", "wb") as out:
        out.write(text if isinstance(text, bytes) else text.encode())


def us(n):
    return f"   12.{n * 100:06d}"


PLAIN = ftrace_text(30, "       CPU 0/KVM-100     [003] d..2.", us)
