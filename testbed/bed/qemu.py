# SPDX-License-Identifier: GPL-2.0-only
"""Debian's QEMU for L1: the program, its libraries and firmware, and a guest for it."""

import pathlib

from . import BedError, built

HERE = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = "/usr/bin/qemu-system-x86_64"
# QEMU finds its firmware by the folder that it lies in itself.
FIRMWARE = {
    "/usr/share/qemu": ("bios-microvm.bin", "kvmvapic.bin", "linuxboot_dma.bin", "pvh.bin"),
    "/usr/share/seabios": ("bios-256k.bin",),
}


def add(root):
    """root: Initramfs of L1. What is installed here (qemu-system-x86), at its own place."""
    files = [PROGRAM, *(f"{folder}/{name}" for folder, names in FIRMWARE.items()
                        for name in names)]
    for file in files:
        if not pathlib.Path(file).is_file():
            raise BedError(f"{file}: not found (apt-get install qemu-system-x86)")
        root.add(file, file)
    root.file("/l2/qemu_guest", built("testbed/guest", "qemu_guest").read_bytes())
    root.file("/bed/qemu", (HERE / "guest/l1_qemu.sh").read_bytes())
