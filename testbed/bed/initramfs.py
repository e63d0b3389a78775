# SPDX-License-Identifier: GPL-2.0-only
"""An initramfs (cpio, format newc) made of files of this machine, without root."""

import pathlib
import re
import stat
import subprocess

from . import BedError

BUSYBOX = pathlib.Path("/bin/busybox")


class Initramfs:
    def __init__(self):
        self._entries = {}

    def directory(self, path):
        for parent in reversed(pathlib.PurePosixPath(path.lstrip("/")).parents):
            if str(parent) != ".":
                self._entries.setdefault(str(parent), (stat.S_IFDIR | 0o755, b"", 0))
        self._entries.setdefault(path.strip("/"), (stat.S_IFDIR | 0o755, b"", 0))

    def file(self, path, data, executable=False):
        self.directory(str(pathlib.PurePosixPath(path).parent))
        mode = stat.S_IFREG | (0o755 if executable else 0o644)
        self._entries[path.lstrip("/")] = (mode, data, 0)

    def symlink(self, path, target):
        self.directory(str(pathlib.PurePosixPath(path).parent))
        self._entries[path.lstrip("/")] = (stat.S_IFLNK | 0o777, target.encode(), 0)

    def console(self):
        """/dev/console, which the kernel opens before anything is mounted."""
        self.directory("/dev")
        self._entries["dev/console"] = (stat.S_IFCHR | 0o600, b"", (5 << 8) | 1)

    def busybox(self):
        if not BUSYBOX.is_file():
            raise BedError(f"{BUSYBOX}: missing (apt-get install busybox-static)")
        self.file("/bin/busybox", BUSYBOX.read_bytes(), executable=True)
        for applet in subprocess.run([BUSYBOX, "--list"], check=True, text=True,
                                     stdout=subprocess.PIPE).stdout.split():
            if applet != "busybox":
                self.symlink(f"/bin/{applet}", "busybox")

    def add(self, source, path=None):
        """A file or a folder of this machine; programs bring their shared libraries."""
        source = pathlib.Path(source)
        if not source.exists():
            raise BedError(f"{source}: no such file")
        path = path or f"/bin/{source.name}"
        if source.is_dir():
            for child in sorted(source.iterdir()):
                self.add(child, f"{path}/{child.name}")
            return
        data = source.read_bytes()
        executable = bool(source.stat().st_mode & 0o111)
        self.file(path, data, executable)
        if data.startswith(b"\x7fELF"):
            for library in _libraries(source):
                self.file(library, pathlib.Path(library).read_bytes(), executable=True)

    def archive(self):
        out = bytearray()
        for number, (name, (mode, data, rdev)) in enumerate(self._entries.items(), 1):
            _newc(out, number, name, mode, data, rdev)
        _newc(out, 0, "TRAILER!!!", 0, b"", 0)
        return bytes(out)


def _libraries(program):
    result = subprocess.run(["ldd", program], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
    if "not found" in result.stdout:
        lost = next(line for line in result.stdout.splitlines() if "not found" in line)
        raise BedError(f"{program}: {lost.strip()}")
    return re.findall(r"(?:=> |^\s*)(/\S+) \(0x", result.stdout, re.MULTILINE)


def _newc(out, inode, name, mode, data, rdev):
    encoded = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, rdev >> 8, rdev & 0xff, len(encoded), 0)
    out += b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
    out += b"\0" * (-len(out) % 4)
    out += data
    out += b"\0" * (-len(out) % 4)
