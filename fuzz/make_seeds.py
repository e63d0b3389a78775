#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""make_seeds.py MAKE_CAPTURE MAKE_CHUNK - writes the small inputs that fuzzing begins with

They go into corpus/.

bazel build -c opt //collector:make_capture //sql/chunk:make_chunk
python3 fuzz/make_seeds.py bazel-bin/collector/make_capture bazel-bin/sql/chunk/make_chunk

Inputs that are regressions are added by hand, see README.md.
"""
import gzip
import os
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
FUZZ = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FUZZ, "..", "collector", "test"))
from recordings import (ADDR, CALLCHAIN, Dat, NORMAL, Perf, READ, WEIGHT, entry_event, exit_event,
                        pages, pairs)

MAKE_CAPTURE, MAKE_CHUNK = map(os.path.abspath, sys.argv[1:3])

TRACE_TEXT = """\
# tracer: nop
# entries-in-buffer/entries-written: 6/9   #P:4
            qemu-1000    [003] d..2.   196.701701: kvm_entry: vcpu 0, rip 0x1000
            qemu-1000    [003] d..2.   196.701717: kvm_exit: vcpu 0 reason MSR_READ rip 0x1000 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0
            qemu-1000    [003] d..2.   196.701718: kvm_msr: msr_read 277 = 0x70406
CPU:3 [LOST 2 EVENTS]
            qemu-1000    [003] d..2.   196.701719: kvm_entry: vcpu 0, rip 0x1002
            qemu-1000    [003] d..2.   196.701900: kvm_exit: reason EXIT_NPF rip 0x1002 info 6 10000
            qemu-1000    [003] d..2.   196.701910: kvm_entry: vcpu 0
"""
SCRIPT_TEXT = """\
 qemu  990/1000  [003]   196.701717101: kvm:kvm_exit: vcpu 0 reason npf rip 0x1000 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0
 qemu  990/1000  [003]   196.701718101: kvm:kvm_cpuid: func 1 idx 0 rax 1 rbx 2 rcx 3 rdx 4, cpuid entry found
 qemu  990/1000  [003]   196.701719101: kvm:kvm_entry: vcpu 0, rip 0x1002
"""
LEAF_TEXT = """\
[    1.5] 0x4fffffff 0x00: eax=0x00000064 ebx=0x00000000 ecx=0x00000002 edx=0x00000000
0x4ffffffd 0x0a: eax=0x00000064 ebx=0x00000000 ecx=0x00000000 edx=0x00000000
"""
CAPABILITIES = "0 0x480 0x00d8100000000012\n0 0x48c 0xffffffffffffffff\n1 0x48c unreadable\n"
SYSTEM_MAP = """\
ffffffff81000000 T _stext
ffffffff81000040 t native_halt.part.0
ffffffff81000100 T cpuid_leaf\t[kvm]
ffffffff82000000 D jiffies
0000000000000000 A fixed_percpu_data
"""
STORE = 20  # among the commands of database.c
COMMANDS = 31
PROGRAM = "static int f(int a) { return a + 1; }\nint g(int a) { return f(a) * 2; }\nint d;\n"


def put(target, name, data):
    folder = os.path.join(FUZZ, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    if isinstance(data, str):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(data)
        return
    with open(os.path.join(folder, name + ".gz"), "wb") as file:
        file.write(gzip.compress(data, 9, mtime=0))


def written(recording, how="write"):
    getattr(recording, how)("x")
    with open("x", "rb") as file:
        return file.read()


def put_captures():
    for name, options in (("plain", ["--records", "6"]), ("losses", ["--records", "40", "--lose-one-in", "4", "--vcpus", "2"])):
        subprocess.run([MAKE_CAPTURE, *options, name + ".cap"], check=True, stdout=subprocess.DEVNULL)
        with open(name + ".cap", "rb") as file:
            data = file.read()
        put("capture", name, data)
        put("records", name, data)
    # A capture may be compressed itself.
    put("capture", "packed", gzip.compress(data, 9, mtime=0))


def put_perf():
    for name, sample_type in (("normal", NORMAL), ("all", NORMAL | ADDR | READ | CALLCHAIN | WEIGHT)):
        perf = Perf(recorded=("kvm_exit", "kvm_entry", "kvm_msr", "other"), sample_type=sample_type)
        perf.comm(100, "qemu")
        perf.text_feature(3, "host")
        perf.samples(pairs(3))
        perf.lost(2, 4500)
        perf.lost_samples("kvm_exit", 1)
        put("perf_data", name, written(perf))
        put("perf_data", name + "-pipe", written(perf, "write_pipe"))


def put_dat():
    two = [exit_event(2000, 101, 1), entry_event(2300, 101, 1)]
    dat = Dat([("", "local", {0: pages(pairs(4), {4: 3}), 1: pages(two)}), ("vm", "x86-tsc", {0: pages(pairs(2))})])
    dat.uname()
    dat.stats(2)
    put("trace_dat", "version7", written(dat))
    put("trace_dat", "version6", written(dat, "write_v6"))
    events = pairs(60)
    dat = Dat([("", "local", {0: pages(events[:80]), 1: pages(events[80:])})])
    dat.stats(0, cpus=(0, 1))
    put("trace_dat", "version6-cut", written(dat, "write_v6")[:-3000])
    put("trace_dat", "version7-cut", written(dat, "write_compressed")[:-700])


def put_symbols():
    put("symbols", "system.map", SYSTEM_MAP)
    subprocess.run(["gcc", "-x", "c", "-c", "-o", "x.o", "-"], check=True, input=PROGRAM, text=True)
    with open("x.o", "rb") as file:
        put("symbols", "object", file.read())


def record(number):
    """struct kvm_exit_record: all fields in use, most with two values."""
    odd = number % 2
    words = (
        number, 1000 * number, 0x1000 + 16 * odd, 0x3000, 3 + odd, 0, 0xfee00000 + number, odd)
    cycles = (300 + number + 100 * odd, 300, 100 * odd, number, 0)
    small = (10 + odd, 0x1800, 0, 0, odd, 2, odd, 1, 4 * odd)
    new = (50 * odd, number, 8 * odd, 0x800000ec, 0, 0, 0, 0, 0)
    return struct.pack("<8Q5Q4I2H2BH3Q2I4Q", *words, *cycles, *small, *new)


def put_chunks():
    for name, level, count in (("plain", 0, 5), ("zstd", 1, 5), ("one", 0, 1), ("blocks", 0, 129)):
        records = b"".join(map(record, range(count)))
        made = subprocess.run([MAKE_CHUNK, str(level)], input=records, capture_output=True, check=True)
        put("chunk", name, made.stdout)
    put("chunk", "records", b"".join(map(record, range(3))))


def put_databases():
    """What the bytes mean: see database.c."""
    seeds = {
        "unchanged": b"",
        "null-label": bytes((17, 0, 1, 0, 1, 0, 0)),
        "huge-tsc": bytes((6, 0, 1, 3, 2, 0, 4 | 3 << 3)),
        "text-for-number": bytes((4, 0, 1, 2, 3, 0, 1 | 3 << 3)) + b"abc",
        "no-rows": bytes((14, 0, 2, 3, 0)),
        "no-rows-verify": bytes((10, 0, 2, 3, 0)),
        "no-reasons": bytes((12, 0, 3, 1, 7)),
        "no-view": bytes((12, 0, 3, 0, 10)),
        "no-table": bytes((10, 0, 3, 1, 3)),
        "forged": bytes((STORE, 0, 4, 3, 9, 4, 8)) + b"x INTEGE",
        "trigger": bytes((STORE, 0, 5, 62)) + b"CREATE TRIGGER t AFTER INSERT ON exit BEGIN DELETE FROM run; END",
        "view": bytes((STORE, 0, 5, 50)) + b"DROP VIEW runs; CREATE VIEW runs AS SELECT NULL AS a",
        "page": bytes((0, 0, 6, 0, 16, 0, 4)) + b"\xff\xff\xff\xff",
        "version": bytes((STORE, 0, 7, 0, 1)),
        "cut": bytes((8, 210)),
    }
    for command in range(COMMANDS):
        seeds[f"command-{command}"] = bytes((command, 0))
    for name, data in seeds.items():
        put("database", name, data)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        put_captures()
        put_perf()
        put_dat()
        put("trace_text", "trace.txt", TRACE_TEXT)
        put("trace_text", "script.txt", SCRIPT_TEXT)
        put("leaf_text", "leaves.txt", LEAF_TEXT)
        put("leaf_text", "capabilities.txt", CAPABILITIES)
        put_symbols()
        put_chunks()
        put_databases()


if __name__ == "__main__":
    main()
