# SPDX-License-Identifier: GPL-2.0-only
"""BTF for the modules of kvm/build, which come without: BPF programs can attach to them then."""

import shutil
import subprocess

from . import CACHE, BedError

MODULES = ("kvm", "kvm-intel", "kvm-amd")
# What a kernel image is compressed with, and what decompresses it from stdin.
COMPRESSED = ((b"\xfd7zXZ\x00", ["xz", "-dc"]), (b"\x28\xb5\x2f\xfd", ["zstd", "-dc"]),
              (b"\x02\x21\x4c\x18", ["lz4", "-dc"]), (b"\x1f\x8b\x08", ["gzip", "-dc"]))


def _run(command, **options):
    try:
        return subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    except FileNotFoundError:
        raise BedError(f"{command[0]}: not found (apt-get install pahole make gcc lz4)") from None
    except subprocess.CalledProcessError as error:
        why = (error.stderr.decode(errors="replace").strip() or "no output").splitlines()[-1]
        raise BedError(f"{command[0]}: {why}") from None


def vmlinux(image):
    """The ELF file inside a bzImage; its section .BTF is what modules' BTF rests on."""
    data = image.read_bytes()
    for magic, command in COMPRESSED:
        start = data.find(magic)
        while start >= 0:
            # The data that follow the payload make the program fail once it has written it.
            found = subprocess.run(command, input=data[start:], check=False,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            if found.startswith(b"\x7fELF"):
                return found
            start = data.find(magic, start + 1)
    raise BedError(f"{image}: no kernel found in it")


def modules_with_btf(kernel):
    """The folder of the patched modules of @kernel with BTF; kvm/build has made its tree."""
    built = CACHE / "kvm" / kernel.version
    out = built / "btf"
    tree = out / "tree"
    if not (built / "tree").is_dir():
        raise BedError(f"{built}: no modules there (kvm/build --kernel {kernel.version})")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(built / "tree", tree, ignore=shutil.ignore_patterns("*.o", "*.ko", "*.cmd"))
    base = out / "vmlinux"
    base.write_bytes(vmlinux(kernel.image))
    kvm = tree / "arch" / "x86" / "kvm"
    _run(["make", "-C", f"/lib/modules/{kernel.version}/build", "CONFIG_DEBUG_INFO=",
          "CONFIG_DEBUG_INFO_BTF_MODULES=", "KCFLAGS=-g -gdwarf-4", f"M={kvm}",
          f"KVM_TREE={tree}", "-j2", "modules"])
    for name in MODULES:
        module = out / f"{name}.ko"
        shutil.copy(kvm / f"{name}.ko", module)
        _run(["pahole", "-J", "--btf_base", str(base), str(module)])
        _run(["objcopy", "--strip-debug", str(module)])
    shutil.rmtree(tree)
    base.unlink()
    return out
