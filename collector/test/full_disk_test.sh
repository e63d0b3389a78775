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
[ ! -e disk/run.sqlite ] || fail "a database is left"
[ "$(find disk -type f | wc -l)" -eq 0 ] || fail "something is left: $(ls disk)"

# A database that was there before keeps what it had. (--flush: one transaction)
"$make_capture" --records 1000 --seed 1 small.cap >/dev/null
"$collector" --from small.cap --db disk/run.sqlite 2>err || fail "small: $(cat err)"
"$collector" --from big.cap --flush 1h --db disk/run.sqlite 2>err && fail "status 0 on a full disk"
grep -q "nothing of this run was kept" err || fail "what became of it: $(cat err)"
[ "$("$count" disk/run.sqlite "SELECT count(*) FROM exit")" = 1000 ] || fail "other rows than before"
[ "$("$count" disk/run.sqlite "SELECT count(*) FROM run")" = 1 ] || fail "a run is left"

# Many transactions before the disk is full: all or nothing of them stays, and
# rows, roll-ups and counts agree.
"$collector" --from big.cap --flush 1ms --db disk/run.sqlite 2>err && fail "status 0 on a full disk"
rows=$("$count" disk/run.sqlite "SELECT count(*) FROM exit")
sums=$("$count" disk/run.sqlite "SELECT sum(n) FROM exit_rollup")
recorded=$("$count" disk/run.sqlite "SELECT sum(recorded) FROM vcpu")
[ "$rows" = "$sums" ] && [ "$rows" = "$recorded" ] || fail "$rows rows, $sums in sums, $recorded recorded"
if [ "$rows" = 1000 ]; then
	grep -q "nothing of this run was kept" err || fail "what became of it: $(cat err)"
else
	grep -q "stays as an interrupted run" err || fail "what became of it: $(cat err)"
fi
[ "$("$count" disk/run.sqlite "SELECT count(*) FROM run WHERE state = 'complete'")" = 1 ] ||
	fail "half a run is called complete"
rm -f disk/*

# No room even for the tables.
head -c 4100000 /dev/zero >disk/filler 2>/dev/null
"$collector" --from small.cap --db disk/run.sqlite 2>err && fail "status 0 on a full disk"
[ "$(wc -l <err)" -eq 1 ] || fail "not one line: $(cat err)"
[ ! -e disk/run.sqlite ] || fail "a database is left"

# A capture file that does not fit.
"$collector" --from big.cap --capture disk/copy.cap 2>err && fail "status 0 on a full disk"
grep -q "No space left" err || fail "no words of it: $(cat err)"
[ ! -e disk/copy.cap ] || fail "half a capture is left"
umount disk
[ $failures -eq 0 ]
