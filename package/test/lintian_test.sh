#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# lintian_test.sh DEBS - Debian's checker of packages finds no error and no warning
set -u
if ! command -v lintian >/dev/null; then
	echo "skipped: lintian is missing (apt-get install lintian)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
found=$(HOME=${TEST_TMPDIR:-/tmp} lintian --allow-root --tag-display-limit 0 --fail-on error,warning \
	"$1"/*.deb 2>&1)
status=$?
if [ $status != 0 ] || [ -n "$found" ]; then
	echo "$found"
	echo "0 passed, 1 failed"
	exit 1
fi
echo "1 passed, 0 failed"
