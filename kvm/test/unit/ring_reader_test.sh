#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ring_reader_test.sh - ring_reader.py, of at most 60 lines, finds what the kernel's code has written
#	ring_reader_test.sh RING_FILE RING_READER.PY
set -eu
[ "$(wc -l <"$2")" -le 60 ]
for record_bytes in 192 256; do
	file=$TEST_TMPDIR/ring.$record_bytes
	for round in 1 2 3; do
		"$1" "$file" $record_bytes >"$TEST_TMPDIR/wanted"
		python3 "$2" "$file" >"$TEST_TMPDIR/found"
		diff "$TEST_TMPDIR/wanted" "$TEST_TMPDIR/found"
	done
done
[ -z "$(python3 "$2" "$file")" ]
