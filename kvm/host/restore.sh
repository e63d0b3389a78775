# SPDX-License-Identifier: GPL-2.0-only
# restore.sh - which KVM modules are loaded, and with what parameters: noted, and
# put back later (POSIX sh, also busybox). Sourced after modules.sh
#
# The caller sets $vendor (vendor_module) and $here, the folder of kvm/install.

# Where the loaded modules are from: none; modprobe (stock ones, or ours where DKMS
# has installed them); built (ours, by kvm/install).
kvm_origin() {
	if ! loaded "$vendor"; then
		echo none
	elif ours_loaded && [ ! -d /var/lib/dkms/$package ]; then
		echo built
	else
		echo modprobe
	fi
}

# Lines NAME=VALUE: what /sys/module shows of a module. stock_vendor is what our kvm.ko has seen.
parameters() {
	for file in /sys/module/"$1"/parameters/*; do
		[ ! -r "$file" ] || [ "${file##*/}" = stock_vendor ] ||
			printf '%s=%s\n' "${file##*/}" "$(cat "$file")"
	done
}

# other_parameters MODULE LINES: those of LINES (parameters) that MODULE has not, as
# words. A value of several words ("EPT disabled") follows from others and can't be given.
other_parameters() {
	echo "$2" | while IFS='=' read -r name value; do
		case $value in *' '*) continue ;; esac
		[ -z "$name" ] || [ "$(cat "/sys/module/$1/parameters/$name" 2>/dev/null)" = "$value" ] ||
			printf '%s=%s ' "$name" "$value"
	done
}

note_kvm() {
	noted_origin=$(kvm_origin)
	noted_ours=$(ours_loaded && echo ours)
	noted_caps=$(loaded vmx_caps && echo caps)
	noted_kvm=$(parameters kvm)
	noted_vendor=$(parameters "$vendor")
}

# load_noted KVM_PARAMS VENDOR_PARAMS [MODULES]
load_noted() {
	case $noted_origin in
	built) "$here/install" ${3:+--modules "$3"} ${1:+--kvm-params "$1"} ${2:+--vendor-params "$2"} ;;
	none) unload_kvm ;;
	# Parameters are words: they must split.
	*) unload_kvm && modprobe kvm $1 && modprobe "$vendor" $2 ;;
	esac || return 1
	[ -n "$noted_caps" ] || ! loaded vmx_caps || rmmod vmx_caps
}

# Sets $kvm_others and $vendor_others, the parameters that are not as noted; 1: there
# are some.
find_others() {
	kvm_others=$(other_parameters kvm "$noted_kvm")
	vendor_others=$(other_parameters "$vendor" "$noted_vendor")
	[ -z "$kvm_others$vendor_others" ]
}

# Programs that were asked to end may take a moment to do so.
wait_for_kvm() {
	tries=0
	while [ $tries -lt 50 ]; do
		(refuse_if_busy) 2>/dev/null && return
		sleep 0.2
		tries=$((tries + 1))
	done
	(refuse_if_busy)
}

# restore_kvm [MODULES]: as note_kvm found it; MODULES as for kvm/install. The original
# parameters are unknown: load once without parameters and compare what sysfs shows.
restore_kvm() {
	wait_for_kvm && load_noted "" "" "$@" || return 1
	if ! find_others; then
		load_noted "$kvm_others" "$vendor_others" "$@" || load_noted "" "" "$@" || return 1
		find_others || say "parameters that could not be given back: $kvm_others$vendor_others"
	fi
	[ "$(ours_loaded && echo ours)" = "$noted_ours" ] && find_others
}
