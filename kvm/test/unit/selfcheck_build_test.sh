#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# selfcheck_build_test SELFCHECK_SH - kvm/install builds the guest that it runs by itself, from the
# sources alone: without Bazel, and again only when one of them has changed.
set -eu
kvm=$(dirname "$(dirname "$1")")

cp -LR "$(dirname "$kvm")" "$TEST_TMPDIR/tree"
cd "$TEST_TMPDIR/tree"
here=$PWD/kvm
die() {
	echo "selfcheck_build_test: $*" >&2
	exit 1
}
. kvm/host/selfcheck.sh

# built OLD|NEW WHY
is_built() {
	was=$(stat -c %Y-%i selfcheck 2>/dev/null || echo none)
	build_selfcheck "$PWD"
	now=$(stat -c %Y-%i selfcheck)
	case $1 in
	again) [ "$was" != "$now" ] || die "not built again: $2" ;;
	not) [ "$was" = "$now" ] || die "built again: $2" ;;
	esac
}

is_built again "there was none"
[ -x selfcheck ] || die "no program"
is_built not "nothing has changed"
for changed in kvm/host/selfcheck.c kvm/uapi/kvm_exit_ring.h testbed/guest/guest_stats.c; do
	touch -d 'now - 1 hour' selfcheck
	find kvm testbed -type f -exec touch -d 'now - 2 hours' {} +
	is_built not "all is older"
	touch "$changed"
	is_built again "$changed has changed"
done
