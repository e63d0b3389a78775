#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# PID 1 of L1, the emulated machine's own Linux. Does what /bed/config says:
#	BED_LOAD	empty: COMMAND loads KVM itself
#	BED_DISK_MODULES modules of the result disk, loaded when COMMAND has ended
# and what l1_functions.sh names.
# /bed/command is run; what it leaves in /out, its status and the kernel log are
# written as a tar archive to the disk that begins with BED-RESULT.
# Lines that begin with @@ speak to testbed/run.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/out TERM=dumb
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -onlcr -echo
echo "testbed: init" >/dev/kmsg
echo "@@stage Linux $(uname -r) up"
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
ip link set lo up
. /bed/functions

fail() {
	echo "@@fail $*"
	exec sleep 3600
}

result_disk() {
	for disk in /dev/sd? /dev/vd?; do
		[ "$(head -c 10 "$disk" 2>/dev/null)" = BED-RESULT ] && echo "$disk" && return
	done
}

[ -z "$BED_LOAD" ] || bed_load || fail "loading the modules"

echo "@@begin"
cd /out || fail "no /out"
/bed/command
status=$?
echo "@@end $status"

cd /
for module in $BED_DISK_MODULES; do
	insmod "/bed/modules/$module.ko" || fail "insmod $module.ko"
done
for _ in 1 2 3 4 5 6 7 8 9 10; do
	disk=$(result_disk)
	[ -n "$disk" ] && break
	sleep 0.5
done
[ -n "$disk" ] || fail "no result disk"
mkdir /bed/result
echo "$status" >/bed/result/status
dmesg >/bed/result/dmesg
tar -c -f "$disk" -C / bed/result out || fail "the result disk is full"
sync
echo "@@done"
exec sleep 3600
