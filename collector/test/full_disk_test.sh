#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A disk that fills up: one line, status 1, and all that was flushed stays.
set -u
if [ "${FULL_DISK_INSIDE:-}" != yes ]; then
	# A small disk of our own needs a mount namespace.
	if ! unshare --map-root-user --mount true 2>/dev/null; then
		echo "SKIPPED: no mount namespace to be had here"
		exit 0
	fi
	FULL_DISK_INSIDE=yes exec unshare --map-root-user --mount "$0" "$@"
fi
collector=$PWD/$1
make_capture=$PWD/$2
count=$PWD/$3
cd "$TEST_TMPDIR" && mkdir -p disk && mount -t tmpfs -o size=4m tmpfs disk || exit 1

"$make_capture" --records 100000 --seed 1 big.cap >/dev/null || exit 1
failures=0
fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# The source is a file, so the run is taken out again: it can be read once more.
"$collector" --from big.cap --db disk/run.sqlite 2>err && fail "status 0 on a full disk"
grep -q "no space left" err || fail "no words of it: $(cat err)"
[ "$(wc -l <err)" -eq 1 ] || fail "not one line: $(cat err)"
[ ! -e disk/run.sqlite ] || fail "a database was left behind"
[ "$(find disk -type f | wc -l)" -eq 0 ] || fail "something was left behind: $(ls disk)"

# A database that was there before keeps what it had.
"$make_capture" --records 1000 --seed 1 small.cap >/dev/null
"$collector" --from small.cap --db disk/run.sqlite 2>err || fail "small: $(cat err)"
"$collector" --from big.cap --db disk/run.sqlite 2>err && fail "status 0 on a full disk"
got=$("$count" disk/run.sqlite "SELECT count(*) FROM exit")
[ "$got" = 1000 ] || fail "$got rows, not 1000"
got=$("$count" disk/run.sqlite "SELECT count(*) FROM run")
[ "$got" = 1 ] || fail "$got runs, not 1"
rm -f disk/*

# No room even for the tables.
head -c 4100000 /dev/zero >disk/filler 2>/dev/null
"$collector" --from small.cap --db disk/run.sqlite 2>err && fail "status 0 on a full disk"
[ "$(wc -l <err)" -eq 1 ] || fail "not one line: $(cat err)"
[ ! -e disk/run.sqlite ] || fail "a database was left behind"

# A capture file that does not fit.
"$collector" --from big.cap --capture disk/copy.cap 2>err && fail "status 0 on a full disk"
grep -q "No space left" err || fail "no words of it: $(cat err)"
[ ! -e disk/copy.cap ] || fail "half a capture was left behind"
umount disk
[ $failures -eq 0 ]
