#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs in L1 of an emulated machine (see kvm/test/paging_host_test), which is the host
# for testbed/compare-paging --host: its recordings, what it refuses, and that KVM is
# then as it was before.
#	/kvm, /testbed, /bazel-bin	as in the project's folder
. /test/l1_functions.sh
knob=npt
[ $vendor = kvm_amd ] || knob=ept
guest="exit_loop --op cpuid --count 500"
recordings=/tmp/paging

paging() {
	/testbed/compare-paging --host --modules /ours --out $recordings -- "$@"
}

# The loaded modules: none, or which they are and their parameters. A module that was
# loaded anew is another one (the inode), if $1 says "same".
kvm_now() {
	[ -d /sys/module/$vendor ] || echo none
	[ ! -c /dev/kvm_exit_ring ] || echo exit ring
	[ ! -d /sys/module/vmx_caps ] || echo vmx_caps
	grep -s '' /sys/module/kvm/parameters/* /sys/module/$vendor/parameters/*
	[ "$1" != same ] || stat -c %i /sys/module/kvm /sys/module/$vendor
}

# by_modprobe [KVM_PARAMS] [VENDOR_PARAMS]
by_modprobe() {
	rmmod vmx_caps 2>/dev/null
	rmmod $vendor kvm 2>/dev/null
	modprobe kvm $1 && modprobe $vendor $2
}

# kept WHAT STATUS COMMAND...: KVM is then as before
# untouched WHAT LINE COMMAND...: status 1, that one LINE (a pattern), and nothing
#	was loaded anew
kept() {
	what=$1 expected=$2
	shift 2
	before=$(kvm_now)
	"$@" >/tmp/out 2>&1
	status=$?
	if [ $status != $expected ]; then
		failed "$what: status $status"
	elif [ "$(kvm_now)" != "$before" ]; then
		kvm_now >>/tmp/out
		failed "$what: KVM was '$before', and is the above"
	elif [ -n "$(pidof exit_loop collector)" ]; then
		failed "$what: a program still runs"
	else
		echo "ok: $what"
	fi
}

untouched() {
	what=$1 line=$2
	shift 2
	before=$(kvm_now same)
	rm -rf $recordings
	"$@" >/tmp/out 2>&1
	status=$?
	if [ $status != 1 ] || [ "$(wc -l </tmp/out)" != 1 ] || ! grep -q "$line" /tmp/out; then
		failed "$what: status $status"
	elif [ "$(kvm_now same)" != "$before" ] || [ -e $recordings ]; then
		failed "$what: something was done"
	else
		echo "ok: $what: $(cat /tmp/out)"
	fi
}

# of_run NAME SQL: one value from a recording
of_run() {
	/bazel-bin/analyzer/analyzer --db $recordings/$1/run.sqlite sql --format csv "$2" | tail -n 1
}

# recorded WHAT WANTED SQL: "nested shadow" values from the two recordings
recorded() {
	got="$(of_run nested "$3") $(of_run shadow "$3")"
	if [ "$got" = "$2" ]; then
		echo "ok: $1: $got"
	else
		failed "$1: '$got', not '$2'"
	fi
}

# says WHAT NUMBER PATTERN: exactly NUMBER lines of the last output match
says() {
	if [ "$(grep -c "$3" /tmp/out)" = "$2" ]; then
		echo "ok: $1: $(grep "$3" /tmp/out | head -n 1)"
	else
		failed "$1: not $2 lines '$3'"
	fi
}

# signalled SIGNAL TARGET: compare-paging, while it records; TARGET - is its process
# group too (as Ctrl-C), or nothing. In the foreground, for a shell's background command
# ignores SIGINT.
signalled() {
	(
		until [ -n "$(pidof exit_loop)" ]; do sleep 0.2; done
		sleep 1
		kill -"$1" "$2$(cat /tmp/pid)"
	) &
	setsid sh -c 'echo $$ >/tmp/pid; exec "$@"' sh /testbed/compare-paging --host --modules /ours \
		--out $recordings -- exit_loop --op cpuid --count 4000000000
}

by_modprobe || exit 1
exit_loop --op cpuid --count 4000000000 >/dev/null &
until grep -q . /sys/kernel/debug/kvm/*/exits 2>/dev/null; do sleep 0.2; done
untouched "a VM runs" "in use by $! (exit_loop)" paging $guest
kill $!
wait $! 2>/dev/null
untouched "no such command" "no-such-guest: no such command" paging no-such-guest
untouched "not root" "must be run by root" \
	su -s /bin/sh nobody -c "/testbed/compare-paging --host --out $recordings -- $guest"

kept "stock modules before" 0 paging $guest
recorded "nested paging" "Y N" "SELECT json_extract(module_parameters, '$.$vendor.$knob') FROM runs"
recorded "CPUID exits" "500 500" "SELECT count(*) FROM exits WHERE reason_name = 'CPUID'"
recorded "runs" "complete complete" "SELECT state FROM runs"
says "compared" 1 "^ *[0-9a-fx]* *CPUID .*500.*500"
says "verified" 2 "^match .* 0  e"
kept "a program that fails" 1 paging sh -c "$guest; exit 3"
kept "Ctrl-C" 130 signalled INT -
kept "SIGTERM" 143 signalled TERM ""
by_modprobe halt_poll_ns=12345 nested=0
kept "stock modules with parameters" 0 paging $guest
variant
printf '#!/bin/sh\necho no record; exit 1\n' >/variant/selfcheck
kept "modules that don't record" 1 /testbed/compare-paging --host --modules /variant --out $recordings -- $guest

/kvm/install --modules /ours --kvm-params "ring_records=4096 leaf_time=handler" \
	--vendor-params "$knob=0 nested=0" >/tmp/out 2>&1 || failed "kvm/install"
kept "the exit ring with parameters" 0 paging $guest
recorded "nested paging, where it was off" "Y N" "SELECT json_extract(module_parameters, '$.$vendor.$knob') FROM runs"
kept "the exit ring, Ctrl-C" 130 signalled INT -
kept "the exit ring, a program that fails" 1 paging false

rmmod vmx_caps 2>/dev/null
rmmod $vendor kvm
kept "no KVM before" 0 paging $guest

mkdir -p /var/lib/dkms/exitscope-kvm
cp /ours/*.ko "$tree"
depmod
by_modprobe leaf_scope=host $knob=0 || failed "modprobe"
kept "the exit ring of DKMS with parameters" 0 paging $guest
[ $failures = 0 ]
