#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# PID 1 of the L2 guest. Reads the exit statistics of its own virtual machine
# with Debian's cpuid program, as any guest can, and ends the machine through
# the port that vmm listens to. Arguments on the kernel command line:
#	leaf_reasons=A,B,C	basic exit reasons to read one by one
#	leaf_reasons=all	all of them, by leaf_reader
#	nested_loops=N	load KVM (/modules, testbed/run --nested) and run a guest that
#			executes CPUID N times
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
exec </dev/ttyS0 >/dev/ttyS0 2>&1
echo "L2 $(uname -r) up"

reasons=$(sed -n 's/.*leaf_reasons=\([0-9,]*\).*/\1/p' /proc/cmdline | tr , ' ')
leaf() {
	echo "LEAF $(cpuid -1 -r -l "$@" | tail -n 1)"
}
leaf 0x4fffffff
leaf 0x4ffffffe
for reason in $reasons; do
	leaf 0x4ffffffd -s "$reason"
	leaf 0x4ffffffc -s "$reason"
done
if grep -q leaf_reasons=all /proc/cmdline; then
	leaf_reader --raw --reasons 64
fi
loops=$(sed -n 's/.*nested_loops=\([0-9]*\).*/\1/p' /proc/cmdline)
if [ -n "$loops" ]; then
	for module in irqbypass kvm kvm_intel kvm_amd; do
		[ ! -f /modules/$module.ko ] || insmod /modules/$module.ko || echo "L2 insmod $module failed"
	done
	echo "L2 has loaded KVM"
	# Linux 5.10 has a VM's statistics there alone.
	mkdir -p /sys
	mount -t sysfs sys /sys
	mount -t debugfs debugfs /sys/kernel/debug
	exit_loop --op cpuid --count "$loops" 2>&1
fi
leaf 0x4fffffff
echo "L2 done"
guest_exit 0
