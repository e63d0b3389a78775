#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kvm_requests_test.sh AWK SQL - kvm_requests.sql is what kvm_requests.awk makes of the kernel's
# headers, where there are some, and numbers of two meanings have both names
awk=$1 sql=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}

cat >"$work/one.h" <<'END'
#define KVM_REQUEST_ARCH_BASE     8
#define KVM_REQ_TLB_FLUSH         (0 | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_UNBLOCK           2
#define KVM_REQ_OUTSIDE_GUEST_MODE	(KVM_REQUEST_NO_ACTION | KVM_REQUEST_WAIT)
#define KVM_REQ_EVENT			KVM_ARCH_REQ(6)
#define KVM_REQ_HV_TLB_FLUSH \
	KVM_ARCH_REQ_FLAGS(32, KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
END
awk -f "$awk" "$work/one.h" >"$work/out" || fail "made-up header"
for row in "(0, 'TLB_FLUSH')" "(1, 'REQUEST_1')" "(2, 'UNBLOCK')" "(14, 'EVENT')" "(40, 'HV_TLB_FLUSH')" \
	"(63, 'REQUEST_63')"; do
	grep -qF "$row" "$work/out" || fail "no $row"
done
[ "$(grep -c "^  (" "$work/out")" = 64 ] || fail "not 64 numbers"

sed 's/REQ_EVENT/REQ_OTHER/' "$work/one.h" >"$work/two.h"
awk -f "$awk" "$work/one.h" "$work/two.h" "$work/one.h" >"$work/out" || fail "two headers"
grep -qF "(14, 'EVENT|OTHER')" "$work/out" || fail "number 14 is two requests"
sed 's/BASE     8/BASE     9/' "$work/one.h" >"$work/two.h"
awk -f "$awk" "$work/two.h" >/dev/null 2>&1 && fail "another base"

set --
for folder in /usr/src/linux-headers-*-common; do
	[ -e "$folder/arch/x86/include/asm/kvm_host.h" ] || continue
	set -- "$@" "$folder/include/linux/kvm_host.h" "$folder/arch/x86/include/asm/kvm_host.h"
done
[ $# -gt 0 ] || { echo "no kernel headers here: the list itself was not compared"; exit 0; }
awk -f "$awk" "$@" >"$work/out" || fail "the headers of this machine"

# A machine may have headers of some series only: then it knows fewer names.
rows() {
	sed -n "s/^  (\\([0-9]*\\), '\\([A-Z0-9_|]*\\)').*/\\1 \\2/p" "$1"
}

rows "$sql" >"$work/kept"
[ "$(wc -l <"$work/kept")" = 64 ] || fail "$sql has not 64 numbers"
rows "$work/out" | grep -v " REQUEST_" | while read -r number names; do
	for name in $(echo "$names" | tr '|' ' '); do
		grep -qE "^$number ([A-Z0-9_]+[|])*$name([|]|$)" "$work/kept" ||
			{ echo "FAILED: $sql has no $number $name"; exit 1; }
	done
done || exit 1
echo "compared with $# headers"
