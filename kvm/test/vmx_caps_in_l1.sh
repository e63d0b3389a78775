#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs in L1 of an emulated machine with VMX (see kvm/test/install_test): what the
# module vmx_caps says, against what the kernel's msr device says.
#	/ours		vmx_caps.ko	/bed/modules	the kernel's own
file=/sys/kernel/vmx_caps/msrs
failures=0

# is WHAT VALUE WANTED
is() {
	if [ "$2" = "$3" ]; then
		echo "ok: vmx_caps: $1"
	else
		echo "FAILED: vmx_caps: $1: '$2', not '$3'"
		failures=$((failures + 1))
	fi
}

# The text of a CPU as the msr device has it, for the MSRs that the module lists.
by_device() {
	sed -n "s/^$1 \(0x[0-9a-f]*\) .*/\1/p" $file | while read -r msr; do
		value=$(dd if="/dev/cpu/$1/msr" bs=8 count=1 iflag=skip_bytes skip=$((msr)) 2>/dev/null |
			od -A n -t x8 | tr -d ' ')
		echo "$1 $msr 0x$value"
	done
}

dmesg -c >/dev/null
insmod /ours/vmx_caps.ko || exit 1
insmod /bed/modules/msr.ko || exit 1
log=$(dmesg | grep vmx_caps)
is "readable by all, writable by none" "$(stat -c %a $file)" 444
for cpu in 0 1; do
	[ -d /sys/devices/system/cpu/cpu$cpu ] || continue
	is "CPU $cpu as the msr device has it" "$(grep "^$cpu " $file)" "$(by_device $cpu)"
done
is "some lines" "$(($(grep -c '^0 ' $file) >= 14))" 1
is "CPUs listed" "$(cut -d ' ' -f 1 $file | sort -u | wc -l)" "$(nproc)"
is "what the log begins with" "$(echo "$log" | grep -c 'VMX capabilities of CPU 0')" 1
is "a control with the true MSR's answer" \
	"$(echo "$log" | grep -c 'CR3-load exiting: Can set=Yes, Can clear=Yes')" 1
is "a control that the CPU has not" \
	"$(echo "$log" | grep -c 'Enable PML: Can set=No, Can clear=Yes')" 1
is "a bit that must be 1" "$(echo "$log" | grep -c 'CR0.NE: Can set=Yes, Can clear=No')" 1
is "an MSR that the CPU has not" \
	"$(echo "$log" | grep -c 'none, this CPU has no IA32_VMX_PROCBASED_CTLS3 (0x492)')" 1
is "differences between CPUs" "$(echo "$log" | grep -c differs)" 0
if [ -e /sys/devices/system/cpu/cpu1/online ]; then
	whole=$(cat $file)
	rmmod vmx_caps
	echo 0 >/sys/devices/system/cpu/cpu1/online
	insmod /ours/vmx_caps.ko
	is "without the CPU that is offline" "$(cat $file)" "$(echo "$whole" | grep '^0 ')"
	echo 1 >/sys/devices/system/cpu/cpu1/online
	is "with the CPU that came online" "$(cat $file)" "$whole"
	echo 0 >/sys/devices/system/cpu/cpu1/online
	echo 1 >/sys/devices/system/cpu/cpu1/online
	is "once, however often it comes" "$(cat $file)" "$whole"
fi
i=0
while [ $i -lt 50 ]; do
	rmmod vmx_caps && insmod /ours/vmx_caps.ko || break
	i=$((i + 1))
done
is "rounds of unloading and loading" $i 50
exec 3<$file
rmmod vmx_caps
is "unloaded while the file is open" "$(ls /sys/kernel/vmx_caps 2>&1 | grep -c 'No such')" 1
exec 3<&-
[ $failures = 0 ]
