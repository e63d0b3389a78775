# SPDX-License-Identifier: GPL-2.0-only
"""rights.py - stands in for collector in package/test/service: tries what the service may do

Writes a line for each thing to the file "rights" in the folder of --db, then waits: for SIGTERM, or
for SIGUSR1, after which it ends as a recording does at midnight.
"""

import ctypes
import errno
import mmap
import os
import pathlib
import signal
import socket
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_BPF, SYS_PERF_EVENT_OPEN, SYS_UNSHARE, SYS_MOUNT, SYS_INIT_MODULE = 321, 298, 272, 165, 175
BPF_MAP_CREATE, BPF_PROG_LOAD, BPF_RAW_TRACEPOINT_OPEN = 0, 5, 17
BPF_BTF_GET_FD_BY_ID, BPF_BTF_GET_NEXT_ID = 19, 23
CLONE_NEWNET, NOBODY = 0x40000000, 65534


def call(number, *words):
    """A system call that fails with an OSError."""
    result = LIBC.syscall(number, *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def bpf(command, attributes):
    room = ctypes.create_string_buffer(attributes, 128)
    return call(SYS_BPF, command, room, 128), room.raw


def map_of_records():
    """An array that is mapped, as a ring of the BPF programs is."""
    number, _ = bpf(BPF_MAP_CREATE, struct.pack("5I", 2, 4, 4096, 1, 1 << 10))
    with mmap.mmap(number, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as area:
        area[0] = 1


def program():
    """return 0, at a tracepoint."""
    code = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xb7, 0, 0, 0, 0x95, 0, 0, 0))
    license_name = ctypes.create_string_buffer(b"GPL")
    number, _ = bpf(BPF_PROG_LOAD, struct.pack("<IIQQIIQII", 17, 2, ctypes.addressof(code),
                                               ctypes.addressof(license_name), 0, 0, 0, 0, 0))
    name = ctypes.create_string_buffer(b"sched_switch")
    bpf(BPF_RAW_TRACEPOINT_OPEN, struct.pack("<QI", ctypes.addressof(name), number))


def types_of_the_kernel():
    _, room = bpf(BPF_BTF_GET_NEXT_ID, struct.pack("<II", 0, 0))
    bpf(BPF_BTF_GET_FD_BY_ID, room[4:8])


def counter():
    """A software event on CPU 0, of all processes."""
    attributes = struct.pack("<IIQ", 1, 112, 0).ljust(112, b"\0")
    call(SYS_PERF_EVENT_OPEN, ctypes.create_string_buffer(attributes, 112), -1, 0, -1, 0)


def files_of_nobody():
    """What KVM's vCPUs are recognised by."""
    found = [path for path in pathlib.Path("/proc").glob("[0-9]*")
             if path.stat().st_uid == NOBODY]
    if not found:
        raise OSError(errno.ESRCH, "no process of nobody")
    for path in found:
        os.readlink(path / "exe")
        for name in os.listdir(path / "fd"):
            os.readlink(path / "fd" / name)


def answer():
    """As --listen does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname(), timeout=2) as client:
            client.sendall(b"GET")
            server.accept()[0].recv(3)


def write(path):
    return lambda: os.close(os.open(path, os.O_CREAT | os.O_WRONLY))


def kernel_log():
    os.close(os.open("/dev/kmsg", os.O_RDONLY))


FOLDER = pathlib.Path(sys.argv[sys.argv.index("--db") + 1]).parent

MAY = {
    "write to its folder": write(FOLDER / "new"),
    "write temporary files": write("/tmp/new"),
    "map an array of BPF": map_of_records,
    "load and attach a BPF program": program,
    "take the types of the kernel": types_of_the_kernel,
    "count events of all processes": counter,
    "see the open files of another user": files_of_nobody,
    "open the null device": write("/dev/null"),
    "answer this machine": answer,
}

MAY_NOT = {
    "write to /etc": write("/etc/new"),
    "write to /usr": write("/usr/new"),
    "write to /root": write("/root/new"),
    "write to another folder of /var": write("/var/lib/new"),
    # IPAddressDeny= is not tried: systemd has no effect on addresses inside systemd-nspawn.
    "see all packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "make a namespace": lambda: call(SYS_UNSHARE, CLONE_NEWNET),
    "mount": lambda: call(SYS_MOUNT, b"none", b"/tmp", b"tmpfs", 0, None),
    "load a module": lambda: call(SYS_INIT_MODULE, None, 0, b""),
    "become another user": lambda: os.setuid(NOBODY),
    "read the kernel log": kernel_log,
    "change another user's file": lambda: os.chown(FOLDER / "new", NOBODY, NOBODY),
    "map code that it wrote": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
}


def tried(action):
    """None, or why it failed."""
    try:
        action()
    except OSError as error:
        return error.strerror
    return None


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    with open(FOLDER / "rights", "w", encoding="ascii") as out:
        for name, action in MAY.items():
            print(f"may {name}:", tried(action) or "as it should", file=out)
        for name, action in MAY_NOT.items():
            print(f"may not {name}:", "as it should" if tried(action) else "it could", file=out)
        print("end", file=out, flush=True)
        if signal.sigwait({signal.SIGTERM, signal.SIGUSR1}) == signal.SIGTERM:
            print("ended by SIGTERM", file=out)


main()
