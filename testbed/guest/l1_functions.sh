# SPDX-License-Identifier: GPL-2.0-only
#
# For init and COMMANDs of L1: . /bed/functions
#	BED_MODULES	KVM's modules in /bed/modules, in the order of loading
#	BED_KVM_PARAMS	parameters of kvm.ko
#	BED_VENDOR_PARAMS parameters of kvm-intel.ko or kvm-amd.ko
. /bed/config

# Loads KVM; other parameters come from the variables above.
bed_load() {
	for module in $BED_MODULES; do
		params=
		case $module in
		kvm) params=$BED_KVM_PARAMS ;;
		kvm_intel | kvm_amd) params=$BED_VENDOR_PARAMS ;;
		esac
		insmod "/bed/modules/$module.ko" $params || return 1
		echo "@@stage $module.ko loaded${params:+ ($params)}"
	done
}

# bed_unload [wait_until]: unloads what bed_load has loaded. A module in use is an error, with
# wait_until only if it still is after a while: guests that were killed a moment ago may not have
# ended.
bed_unload() {
	for module in $(echo "$BED_MODULES" | tr ' ' '\n' | tac); do
		"$@" rmmod "$module" || return 1
	done
}

# wait_until COMMAND...: tries it each second until it succeeds, 60 s at most.
wait_until() {
	local seconds=0

	until "$@"; do
		[ $seconds -lt 60 ] || return 1
		seconds=$((seconds + 1))
		sleep 1
	done
}

# wait_for_rows DATABASE: until the collector has flushed thousands of rows.
wait_for_rows() { wait_until has_rows "$1"; }
has_rows() { [ "$(cat "$1"* 2>/dev/null | wc -c)" -gt 1000000 ]; }

# wait_for_vcpus PID N: until the process has N vCPUs, and a second more, in which they run.
wait_for_vcpus() { wait_until has_vcpus "$1" "$2" && sleep 1; }
has_vcpus() { [ "$(ls -l "/proc/$1/fd" 2>/dev/null | grep -c kvm-vcpu)" -ge "$2" ]; }
