# SPDX-License-Identifier: GPL-2.0-only
# l1_functions.sh - sourced by the tests that run in L1 of an emulated machine
#	/bed/modules	stock modules, put where modprobe finds them
#	/ours		modules with the exit ring, selfcheck
vendor=kvm_amd
grep -qw vmx /proc/cpuinfo && vendor=kvm_intel
file=$(echo $vendor | tr _ -)
failures=0

tree=/lib/modules/$(uname -r)
mkdir -p "$tree"
cp /bed/modules/irqbypass.ko /bed/modules/kvm.ko /bed/modules/$vendor.ko "$tree"
depmod

# failed WHAT: says so, with what the last command of expect printed
failed() {
	echo "FAILED: $*"
	cat /tmp/out
	failures=$((failures + 1))
}

# expect WHAT STATUS RING COMMAND...: RING 1 if the exit ring must be there afterwards
expect() {
	what=$1 status=$2 ring=$3
	shift 3
	"$@" >/tmp/out 2>&1
	got=$?
	have=0
	[ -c /dev/kvm_exit_ring ] && have=1
	if [ $got != $status ] || [ $have != $ring ] || [ ! -d /sys/module/$vendor ]; then
		failed "$what: status $got, ring $have"
	else
		echo "ok: $what: $(tail -n 1 /tmp/out)"
	fi
}

# A copy of /ours to be damaged
variant() {
	rm -rf /variant
	cp -r /ours /variant
}
