# SPDX-License-Identifier: GPL-2.0-only
"""Debian's kernel packages: found, downloaded and unpacked, never installed."""

import fcntl
import lzma
import pathlib
import re
import shutil
import subprocess

from . import CACHE, ROOT, BedError

SERIES = re.compile(r"\d+\.\d+")
OTHER_SUITE = str(ROOT / "kvm/host/suite")


def _table():
    """{series: the other columns} of kvm/series, in its order."""
    lines = (line.split() for line in (ROOT / "kvm/series").read_text().splitlines()
             if not line.startswith("#"))
    return {line[0]: line[1:] for line in lines if line}


def all_series():
    return list(_table())


def is_by_hand(series):
    """Whether only those test a series who name it (column TESTS of kvm/series)."""
    return _table()[series][3] == "hand"


def default_series():
    """The first one of this system's suite, else the first (kvm/host/series.sh)."""
    every = all_series()
    return next((series for series in every if not is_foreign(series)), every[0])


def image_packages(version):
    """The packages that hold the image and the modules of a KVER."""
    columns = _table().get(SERIES.match(version).group())
    if columns is None:
        return [f"linux-image-{version}"]
    return columns[2].replace("KVER", version).split(",")


def _suite():
    """The Debian suite of this system, or "" on another one."""
    try:
        release = pathlib.Path("/etc/os-release").read_text()
    except OSError:
        return ""
    found = re.search(r"^VERSION_CODENAME=(\S+)", release, re.MULTILINE)
    return found.group(1) if found else ""


def is_foreign(name):
    """Whether a KVER's or a series' packages are of another Debian suite than this system."""
    columns = _table().get(SERIES.match(name).group())
    return columns is not None and _suite() not in (
        suite.removesuffix("-backports") for suite in columns[0].split(","))


def _apt(args, cwd=None):
    try:
        return subprocess.run(args, cwd=cwd, check=True, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout
    except FileNotFoundError:
        raise BedError(f"{args[0]}: not found (the test bed needs Debian's apt)") from None
    except subprocess.CalledProcessError as error:
        why = (error.stderr.strip() or "no output").splitlines()[-1]
        if args[0] == OTHER_SUITE:  # its errors are whole, with their way out
            raise BedError(why) from None
        raise BedError(f"{' '.join(args)}: {why} (try apt-get update)") from None


def offered(package):
    """The package as apt has it, which may be one without signatures (kvm/host/series.sh)."""
    return _apt(["sh", "-c", '. "$0" && offered_package "$1" apt-cache',
                 str(ROOT / "kvm/host/series.sh"), package]).strip()


def pinned(series):
    """The KVER of a series that the set-up (testbed/setup.sh) has chosen, or None."""
    try:
        lines = (CACHE / "kernels").read_text().splitlines()
    except FileNotFoundError:
        return None
    return dict(line.split() for line in lines).get(series)


def newest(series):
    """The newest KVER of a series that apt offers in the cloud flavour."""
    if is_foreign(series):
        return _apt([OTHER_SUITE, "kernel", series]).strip()
    names = ["linux-image-cloud-amd64", f"linux-image-{series}-cloud-amd64"]
    for line in _apt(["apt-cache", "show", "--no-all-versions", *names]).splitlines():
        found = re.match(rf"Depends: linux-image-({re.escape(series)}\.\S+)", line)
        if found:
            return found.group(1)
    raise BedError(f"kernel {series}: apt offers no linux-image of it (try apt-get update)")


class Kernel:
    """One unpacked linux-image package."""

    def __init__(self, name):
        """name: a KVER as in `uname -r`, or a series."""
        if SERIES.fullmatch(name):
            name = pinned(name) or newest(name)
        self.version = name
        self.dir = CACHE / "kernel" / self.version
        if not self.dir.is_dir():
            self._fetch()
        # Later packages have the image next to the modules, and both below /usr.
        modules = self.dir / "lib" / "modules" / self.version
        if not modules.is_dir():
            modules = self.dir / "usr" / modules.relative_to(self.dir)
        self.image = self.dir / "boot" / f"vmlinuz-{self.version}"
        if not self.image.is_file():
            self.image = modules / "vmlinuz"
        if not self.image.is_file():
            raise BedError(f"{self.image}: missing (remove {self.dir} and start again)")
        self._files = {module_name(path): path for path in modules.rglob("*.ko*")}

    def _fetch(self):
        self.dir.parent.mkdir(parents=True, exist_ok=True)
        with open(self.dir.parent / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.dir.is_dir():
                return
            work = self.dir.with_name(self.version + ".new")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            if is_foreign(self.version):
                _apt([OTHER_SUITE, "download", self.version, str(work)])
            else:
                _apt(["apt-get", "-o", "APT::Sandbox::User=", "download",
                      *map(offered, image_packages(self.version))], cwd=work)
            for deb in list(work.glob("*.deb")):
                _apt(["dpkg-deb", "--extract", str(deb), str(work)])
                deb.unlink()
            work.rename(self.dir)

    def module_file(self, name):
        """The path of a stock module; it may be compressed."""
        return self._find(module_name(name), self._files)

    def has_btf(self, name):
        """Whether a stock module has a section .BTF."""
        return b"\0.BTF\0" in _read_module(self.module_file(name))

    def has_module(self, name):
        """Whether it is a module of this kernel; else it may be built in."""
        return name in self._files

    def modules(self, names, ours=None):
        """[(name, bytes)] of the modules and all that they need, in order of loading.

        ours: a folder whose modules are taken instead of the stock ones.
        """
        files = dict(self._files)
        if ours is not None:
            found = {module_name(path): path for path in ours.glob("*.ko*")}
            if "kvm" not in found:
                raise BedError(f"{ours}: no kvm.ko there (build it: kvm/build)")
            files.update(found)
        done = {}
        for name in names:
            self._add(name, files, done)
        return list(done.items())

    def _find(self, name, files):
        if name not in files:
            raise BedError(f"module {name}: not in linux-image-{self.version}")
        return files[name]

    def _add(self, name, files, done):
        if name in done:
            return
        data = _read_module(self._find(name, files))
        for need in _depends(data):
            self._add(need, files, done)
        done[name] = data


def module_name(path):
    return pathlib.Path(path).name.split(".")[0].replace("-", "_")


def _read_module(path):
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _depends(data):
    """Names in the module's own list of what it needs (section .modinfo)."""
    start = data.find(b"\0depends=")
    if start < 0:
        return []
    text = data[start + 9:data.index(b"\0", start + 9)].decode()
    return [name.replace("-", "_") for name in text.split(",") if name]
