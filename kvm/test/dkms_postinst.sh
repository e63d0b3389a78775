#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# dkms_postinst.sh - the part of dkms_test that sees DKMS and apt's hooks in files of its own
#
# dkms_test sets $here, $kver, $work and $package, NAME/VERSION.
set -u
name=${package%/*}
me=kvm/test/dkms_postinst
. "$here/host/modules.sh"
package=$name
updates=/lib/modules/$kver/updates/dkms
# Debian's script, as the postinst of linux-headers calls it, and with the kernel's release.
debian=/etc/kernel/header_postinst.d/dkms
ours=/etc/kernel/header_postinst.d/$name
failed=0

claim() {
	echo "dkms_test: $1"
}

wrong() {
	echo "FAILED: $1"
	[ ! -f "$work/log" ] || tail -20 "$work/log"
	failed=1
}

# postinst KERNEL: both scripts end with 0.
postinst() {
	: >"$work/log"
	for script in "$debian" "$ours"; do
		"$script" "$1" >>"$work/log" 2>&1 </dev/null || wrong "$script ends with $?"
	done
}

keeps_stock() {
	[ -z "$(ls "$updates"/kvm*.ko* 2>/dev/null)" ] || wrong "modules are in $updates"
	grep -q "kernel $1 keeps its stock KVM modules" "$work/log" || wrong "no line says that $1 keeps its modules"
}

rm -rf "$updates"
rm -f /etc/dkms/no-autoinstall
dkms_copy "/usr/src/$name-$version" && dkms_add_hooks || wrong "can't write"
dkms add "$name/$version" >"$work/log" 2>&1 || wrong "dkms add"

claim "a build that fails"
echo 'exit 1' >"/usr/src/$name-$version/build"
postinst "$kver"
keeps_stock "$kver"

claim "a kernel of another series"
mkdir -p /lib/modules/5.10.0-99-amd64
ln -s "$(readlink -f "/lib/modules/$kver/build")" /lib/modules/5.10.0-99-amd64/build
postinst 5.10.0-99-amd64
grep -q "kernel 5.10.0-99-amd64 keeps its stock" "$work/log" || wrong "no line says so"

claim "a build that succeeds"
cp "$here/build" "/usr/src/$name-$version/build"
postinst "$kver"
for module in kvm kvm-intel kvm-amd; do
	[ -n "$(ls "$updates/$module".ko* 2>/dev/null)" ] || wrong "$module is not in $updates"
done

claim "once more: nothing is built"
postinst "$kver"
! grep -q 'Building module' "$work/log" || wrong "it is built again"

claim "removed"
dkms_forget >"$work/log" 2>&1 || wrong "dkms_forget"
[ ! -e "$ours" ] || wrong "$ours stays"
[ -z "$(ls "$updates"/kvm*.ko* 2>/dev/null)" ] || wrong "modules stay in $updates"

exit $failed
