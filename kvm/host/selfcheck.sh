# SPDX-License-Identifier: GPL-2.0-only
# selfcheck.sh - builds selfcheck, the guest that kvm/install runs (POSIX sh)
#
# The caller sets $here, the folder kvm/, and has die() (usage.sh). Bazel is not needed: a host that
# only installs the modules has a C compiler for them anyway.

# build_selfcheck FOLDER: makes FOLDER/selfcheck, unless it is newer than all that it is made of.
build_selfcheck() {
	root=$(dirname "$here")
	guest=$root/testbed/guest
	[ -x "$1/selfcheck" ] &&
		[ -z "$(find "$here/host/selfcheck.c" "$here/uapi" "$here/ring" "$here/test/common" \
			"$guest" -name '*.[ch]' -newer "$1/selfcheck")" ] && return
	${CC:-cc} -O2 -D_GNU_SOURCE -I "$root" -I "$here" -o "$1/selfcheck" \
		"$here/host/selfcheck.c" "$guest/guest_vm.c" "$guest/guest_stats.c" ||
		die "can't build kvm/host/selfcheck.c"
}
