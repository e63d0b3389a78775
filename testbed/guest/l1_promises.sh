#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs in L1 of an emulated machine (see testbed/promises): one claim with each of the modules;
# /out/N.log is what the program says, /out/N.status how it ended.
#	/promises/N	kvm.ko, the vendor's module, their params, the program and the claim
vendor=kvm_amd
grep -qw vmx /proc/cpuinfo && vendor=kvm_intel
file=$(echo $vendor | tr _ -)
insmod /bed/modules/irqbypass.ko
insmod /bed/modules/msr.ko
for folder in /promises/*; do
	number=${folder##*/}
	# Parameters are words: they must split.
	insmod "$folder/kvm.ko" $(cat "$folder/params") && insmod "$folder/$file.ko" || exit 1
	timeout -s KILL 120 "$(cat "$folder/program")" "$(cat "$folder/claim")" \
		>"/out/$number.log" 2>&1
	echo $? >"/out/$number.status"
	# The claim with the other modules mounts it there, too.
	umount /tmp/*cgroup 2>/dev/null
	# A claim that was not true may leave guests that run.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rmmod $vendor kvm 2>/dev/null && break
		sleep 1
	done
	[ ! -d /sys/module/kvm ] || exit 1
done
