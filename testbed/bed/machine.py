# SPDX-License-Identifier: GPL-2.0-only
"""The two emulators: Bochs has VMX, QEMU's TCG has SVM."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios

from . import BedError, built, witness

# Machines whose clocks count instructions begin then: in seconds since 1970, and as QEMU takes it.
EPOCH, EPOCH_DATE = "1700000000", "2023-11-14T22:13:20"
CYLINDER_BYTES = 16 * 63 * 512
DISK_MARK = b"BED-RESULT"
DISK_CYLINDERS = 4000  # 2 GB, sparse
COMMAND_LINE = ("console=ttyS0,115200 quiet mitigations=off nokaslr no_timer_check "
                "random.trust_cpu=on norandmaps panic=-1 rdinit=/init")

# Haswell: newer models of Bochs 2.7 fail with a Linux guest; and it has no CPUID
# leaf 15h, so Linux measures the TSC (= ips). ips is below 429 MHz, or KVM turns
# the VMX preemption timer off. The boot disk is on the first channel's master.
# realtime=0: the screen's refresh, too, counts instructions.
BOCHSRC = """\
config_interface: textconfig
display_library: term
cpu: model=corei7_haswell_4770, count={cpus}, ips=200000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest={memory}, host={memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="{dir}/boot.img", mode=flat, translation=lba
ata0-slave: type=disk, path="{dir}/result.img", mode=flat, translation=lba
boot: disk
clock: sync=none, time0={epoch}
vga: extension=vbe, update_freq=5, realtime=0
com1: enabled=1, mode=file, dev={dir}/console.log
log: {dir}/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
mouse: enabled=0
speaker: enabled=0
"""

SYSLINUX = """\
DEFAULT linux
PROMPT 0
TIMEOUT 0
LABEL linux
KERNEL vmlinuz
INITRD initrd
APPEND {arguments}
"""


def _need(program, package):
    path = shutil.which(program)
    if path is None:
        raise BedError(f"{program}: not found (apt-get install {package})")
    return path


def _tool(*args):
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    result = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env=environment)
    if result.returncode:
        why = (result.stdout.strip() or "no output").splitlines()[-1]
        raise BedError(f"{args[0]}: {why}")


def _result_disk(path):
    with open(path, "wb") as disk:
        disk.write(DISK_MARK)
        disk.truncate(DISK_CYLINDERS * CYLINDER_BYTES)


class Machine:
    """An emulator as a child process on a terminal of its own."""

    libraries = []  # of testbed/emulator, inside the emulator

    def __init__(self, directory, cpus, memory):
        self.dir = directory
        self.cpus = cpus
        self.memory = memory
        self.console = directory / "console.log"
        self.disk = directory / "result.img"
        self.witness = directory / "witness.bin"
        self.is_observed = True  # by the witness
        self._child = None
        self._terminal = None

    def start(self, kernel, initramfs):
        _result_disk(self.disk)
        command = self.prepare(kernel, initramfs)
        environment = {**os.environ, "TERM": "xterm"}
        libraries = [built("testbed/emulator", name) for name in self.libraries]
        if self.is_observed:
            environment["WITNESS_FILE"] = str(self.witness)
            libraries.append(built("testbed/witness", self.witness_library))
        environment["LD_PRELOAD"] = ":".join(map(str, libraries))

        self._terminal, theirs = pty.openpty()
        with open(self.dir / "emulator.log", "wb") as log:
            # setpriv: the emulator ends with us, even when we are killed.
            self._child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command],
                                           stdin=theirs, stdout=theirs, stderr=log,
                                           env=environment,
                                           start_new_session=True)
        os.close(theirs)

    def wait(self, seconds):
        """Sleeps a little while the emulator runs; False when it has ended."""
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        if ready:
            try:
                os.read(self._terminal, 65536)
            except OSError:
                pass
        return self._child.poll() is None

    def stop(self):
        """Ends the emulator; what the guest has written to its disks is there."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL)
        self._child.wait()
        os.close(self._terminal)
        self._child = None
        witness.trim(self.witness)

    def why(self):
        """The emulator's own last word."""
        for name in ("emulator.log", "bochs.log"):
            path = self.dir / name
            lines = path.read_text(errors="replace").split("\n") if path.exists() else []
            lines = [line for line in lines if line.strip()]
            if lines:
                return lines[-1].strip()
        return "it said nothing"


class Bochs(Machine):
    libraries = ["libno_host_time.so"]
    witness_library = "libwitness_bochs.so"
    vendor = "kvm_intel"
    disk_modules = ["ata_piix", "sd_mod"]
    arguments = COMMAND_LINE + " tsc=reliable"
    _screen = None

    def wait(self, seconds):
        alive = super().wait(seconds)
        self._empty_screen()
        return alive

    def _empty_screen(self):
        """Bochs draws on a terminal of its own, and stands still once that is full."""
        if self._screen is None:
            log = (self.dir / "emulator.log").read_text(errors="replace")
            found = re.search(r'connected to screen "(/dev/pts/\d+)"', log)
            if found is None:
                return
            self._screen = os.open(found.group(1), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        termios.tcflush(self._screen, termios.TCIFLUSH)

    def stop(self):
        super().stop()
        if self._screen is not None:
            os.close(self._screen)
            self._screen = None

    def prepare(self, kernel, initramfs):
        bochs = _need("bochs-bin", "bochs bochsbios vgabios bochs-term")
        self._boot_disk(kernel, initramfs)
        (self.dir / "bochsrc").write_text(BOCHSRC.format(cpus=self.cpus, memory=self.memory,
                                                         dir=self.dir, epoch=EPOCH))
        (self.dir / "debugger").write_text("c\n")
        return [bochs, "-q", "-f", str(self.dir / "bochsrc"), "-rc", str(self.dir / "debugger")]

    def _boot_disk(self, kernel, initramfs):
        mformat, mcopy = _need("mformat", "mtools"), _need("mcopy", "mtools")
        syslinux = _need("syslinux", "syslinux")
        image = str(self.dir / "boot.img")
        (self.dir / "initrd").write_bytes(initramfs)
        (self.dir / "syslinux.cfg").write_text(SYSLINUX.format(arguments=self.arguments))
        size = len(initramfs) + kernel.stat().st_size
        cylinders = (size + size // 16) // CYLINDER_BYTES + 40
        with open(image, "wb") as disk:
            disk.truncate(cylinders * CYLINDER_BYTES)
        _tool(mformat, "-N", "1", "-i", image, "-t", str(cylinders), "-h", "16", "-s", "63",
              "-H", "0", "::")
        _tool(mcopy, "-i", image, str(kernel), "::vmlinuz")
        _tool(mcopy, "-i", image, str(self.dir / "initrd"), "::initrd")
        _tool(mcopy, "-i", image, str(self.dir / "syslinux.cfg"), "::syslinux.cfg")
        _tool(syslinux, "--install", image)


class Tcg(Machine):
    witness_library = "libwitness_qemu.so"
    vendor = "kvm_amd"
    arguments = COMMAND_LINE
    icount = False

    @property
    def libraries(self):
        return ["libtaking_turns.so" if self.icount else "liblost_interrupts.so"]

    @property
    def disk_modules(self):
        return ["virtio_pci", "virtio_blk"] if self.icount else ["ata_piix", "sd_mod"]

    def _disk(self):
        """QEMU's options. The BIOS reads the first sector of an IDE disk, and so takes as long as
        the host does; a virtio disk that it may not boot from it leaves alone."""
        file = f"format=raw,cache=unsafe,file={self.disk}"
        if not self.icount:
            return ["-drive", f"if=ide,{file}"]
        return ["-drive", f"if=none,id=result,{file}", "-device", "virtio-blk-pci,drive=result",
                "-boot", "strict=on"]

    def prepare(self, kernel, initramfs):
        qemu = _need("qemu-system-x86_64", "qemu-system-x86")
        (self.dir / "initrd").write_bytes(initramfs)
        # One thread for all CPUs: with one for each, code that Linux patches while it runs
        # (static keys) is sometimes executed half patched.
        command = [qemu, "-accel", "tcg,thread=single", "-machine", "pc", "-cpu", "max",
                   "-m", str(self.memory), "-smp", str(self.cpus),
                   "-nodefaults", "-display", "none", "-no-reboot",
                   "-serial", f"file:{self.console}", "-kernel", str(kernel),
                   "-initrd", str(self.dir / "initrd"), "-append", self.arguments,
                   *self._disk()]
        if self.is_observed:  # QEMU then logs each VMRUN and #VMEXIT, to the witness (qemu.c)
            command += ["-d", "in_asm", "-dfilter", "0x1+1"]
        if self.icount:
            command += ["-icount", "shift=0,sleep=off", "-rtc", f"base={EPOCH_DATE},clock=vm",
                        "-seed", "1"]
        return command


MACHINES = {"bochs": Bochs, "tcg": Tcg}
