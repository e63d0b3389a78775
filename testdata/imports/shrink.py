# SPDX-License-Identifier: GPL-2.0-only
"""shrink.py IN OUT: a trace.dat of version 7 without what an import of kvm events does not read

Left out: the kernel's symbols and formats of events that are not kvm's. Pages of
events, options and names stay as they are, byte by byte.
"""
import struct
import subprocess
import sys

SECTION = "<HHIQ"
HEADER_INFO, EVENT_FORMATS, CMDLINES, BUFFER, DONE = 16, 18, 21, 3, 0


def unpacked(data, offset):
    """The content of a section."""
    _, flags, _, size = struct.unpack_from(SECTION, data, offset)
    body = data[offset + 16:offset + 16 + size]
    if not flags & 1:
        return body
    packed, _ = struct.unpack_from("<II", body)
    return subprocess.run(["zstd", "-d", "-c"], input=body[8:8 + packed], stdout=subprocess.PIPE, check=True).stdout


def kvm_formats(body):
    """Section 18 with system kvm alone."""
    count, at = struct.unpack_from("<I", body)[0], 4
    kept = b""
    for _ in range(count):
        begin = at
        at = body.index(b"\0", at) + 1
        name = body[begin:at - 1]
        events, = struct.unpack_from("<I", body, at)
        at += 4
        for _ in range(events):
            size, = struct.unpack_from("<Q", body, at)
            at += 8 + size
        if name == b"kvm":
            kept = body[begin:at]
    return struct.pack("<I", 1 if kept else 0) + kept


def options(data, offset):
    """(id, bytes) of all sections of options."""
    while offset:
        body, at, offset = unpacked(data, offset), 0, 0
        while at < len(body):
            option, size = struct.unpack_from("<HI", body, at)
            value = body[at + 6:at + 6 + size]
            at += 6 + size
            if option == DONE:
                offset, = struct.unpack("<Q", value)
                break
            yield option, value


def move_buffer(data, value, out):
    """Copies the pages of a buffer to the end of out; returns the option for the new places."""
    offset, = struct.unpack_from("<Q", value)
    name_end = value.index(b"\0", 8) + 1
    clock_end = value.index(b"\0", name_end) + 1
    page, count = struct.unpack_from("<II", value, clock_end)
    _, flags, _, _ = struct.unpack_from(SECTION, data, offset)
    section = len(out)
    cpus = b""
    pages = b""
    for i in range(count):
        cpu, at, size = struct.unpack_from("<IQQ", value, clock_end + 8 + 20 * i)
        cpus += struct.pack("<IQQ", cpu, section + 16 + len(pages), size)
        pages += data[at:at + size + (4 if flags & 1 else 0)]
    out += struct.pack(SECTION, BUFFER, flags, 0, len(pages)) + pages
    return struct.pack("<Q", section) + value[8:clock_end] + struct.pack("<II", page, count) + cpus


def main():
    data = open(sys.argv[1], "rb").read()
    head = data.index(b"\0", data.index(b"\0", 18) + 1) + 1
    first, = struct.unpack_from("<Q", data, head)
    out = bytearray(data[:head] + bytes(8))
    kept = b""
    for option, value in options(data, first):
        if option in (17, 19, 20):
            continue
        if option in (HEADER_INFO, EVENT_FORMATS, CMDLINES):
            body = unpacked(data, struct.unpack("<Q", value)[0])
            if option == EVENT_FORMATS:
                body = kvm_formats(body)
            value = struct.pack("<Q", len(out))
            out += struct.pack(SECTION, option, 0, 0, len(body)) + body
        elif option == BUFFER:
            value = move_buffer(data, value, out)
        kept += struct.pack("<HI", option, len(value)) + value
    kept += struct.pack("<HIQ", DONE, 8, 0)
    struct.pack_into("<Q", out, head, len(out))
    out += struct.pack(SECTION, 0, 0, 0, len(kept)) + kept
    open(sys.argv[2], "wb").write(out)


main()
