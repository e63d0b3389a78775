#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""ring_reader.py - a reader of /dev/kvm_exit_ring, written from kvm/uapi/kvm_exit_ring.h alone

Prints ring id, sequence number, TSC, cycles and reason of all unread records. With a file as its
argument it reads what is laid out there as one ring, for the test."""

import fcntl
import mmap
import os
import struct
import sys

DEVICE, ABI, PAGE = "/dev/kvm_exit_ring", 2, mmap.PAGESIZE
NEXT, QUERY, ATTACH = 0xC040EB01, 0xEB03, 0xEB05  # _IOWR(0xEB, 1, 64 bytes), _IO(0xEB, N)


def call(fd, request, size, *fields):
    """An ioctl whose argument is a struct of @size bytes that begins with these fields."""
    argument = bytearray(struct.pack(*fields).ljust(size, b"\0"))
    fcntl.ioctl(fd, request, argument)
    return argument


def rings(fd):
    """A file attached to each ring, and the ring's id."""
    ring = 0
    while True:
        try:
            ring, = struct.unpack_from("Q", call(fd, NEXT, 64, "Q", ring))
        except FileNotFoundError:
            return
        attached = os.open(DEVICE, os.O_RDWR)
        call(attached, ATTACH, 64, "IIQ", 64, 0, ring)
        yield attached, ring


def records(fd):
    """(seq, tsc, cycles, reason) of each unread record. x86 keeps the order of loads."""
    meta = mmap.mmap(fd, PAGE, prot=mmap.PROT_READ)
    abi, _, stride, count, _, offset = struct.unpack_from("6I", meta, 8)
    if abi != ABI:
        sys.exit(f"ring_reader: the ring has ABI {abi}, not {ABI}")
    tail_page = mmap.mmap(fd, PAGE, offset=PAGE)
    area = mmap.mmap(fd, count * stride, prot=mmap.PROT_READ, offset=offset)
    tail, head = struct.unpack_from("Q", tail_page)[0], struct.unpack_from("Q", meta, 128)[0]
    for index in range(tail, head):
        at = index % count * stride
        yield *struct.unpack_from("QQ", area, at), *struct.unpack_from("Q32xI", area, at + 64)
    struct.pack_into("Q", tail_page, 0, head)


if sys.argv[1:]:
    files = [(os.open(sys.argv[1], os.O_RDWR), 1)]
else:
    files = rings(os.open(DEVICE, os.O_RDWR))
for file, ring_id in files:
    for record in records(file):
        print(ring_id, *record)
