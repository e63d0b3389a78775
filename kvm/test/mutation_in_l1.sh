#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs in L1 of an emulated machine (see kvm/test/mutation_test): the same guest with each
# of the modules; /out/N.sqlite, and what ring_dump and record_test say of others.
#	/mutants/N	kvm.ko, the vendor's module, and params of kvm.ko
. /test/l1_functions.sh
insmod /bed/modules/irqbypass.ko
[ $vendor = kvm_amd ] || insmod /bed/modules/msr.ko || exit 1
for folder in /mutants/*; do
	number=${folder##*/}
	# Parameters are words: they must split.
	insmod $folder/kvm.ko $(cat $folder/params) && insmod $folder/$file.ko || exit 1
	# A small ring overflows while the guest keeps the collector from the CPU.
	under=
	[ ! -s $folder/params ] || under="chrt -f 1"
	collector --cross-check --db /out/$number.sqlite -- $under exit_loop --op cpuid --count 5000 \
		>/tmp/out 2>&1 || {
		cat /tmp/out
		rm -f /out/$number.sqlite
	}
	ring_dump exit_loop --op out --count 200 >/out/$number.dump 2>&1
	# After many failures it doesn't wait for the guest.
	while [ -n "$(pidof exit_loop)" ]; do sleep 0.2; done
	# It needs the default ring.
	: >/out/$number.claims
	[ -s $folder/params ] || record_test >/out/$number.claims 2>&1
	rmmod $vendor kvm || exit 1
done
