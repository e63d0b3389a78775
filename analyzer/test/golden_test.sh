#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# golden_test.sh ANALYZER DATABASE FOLDER - run each FOLDER/*.cmd and compare
#
# A .cmd file holds one line of arguments (shell words, $DB is the database);
# the .out file of the same name what must come out on stdout, and the status after
# the last line. To write them anew:
#   UPDATE=1 sh analyzer/test/golden_test.sh bazel-bin/analyzer/analyzer \
#     bazel-bin/analyzer/testdata/fixture.sqlite analyzer/testdata/golden
# (recorded boots: .../testdata/recorded.sqlite analyzer/testdata/recorded)
analyzer=$1 DB=$2 folder=$3
failed=0 count=0
actual=${TEST_TMPDIR:-/tmp}/golden.$$
trap 'rm -f "$actual"' EXIT
for cmd in "$folder"/*.cmd; do
	expected=${cmd%.cmd}.out
	eval "\"\$analyzer\" --db \"\$DB\" $(cat "$cmd")" >"$actual" 2>&1
	echo "status $?" >>"$actual"
	sed -i "s#$DB#DB#g" "$actual"
	count=$((count + 1))
	if [ -n "$UPDATE" ]; then
		cp "$actual" "$expected"
	elif ! diff -u "$expected" "$actual"; then
		echo "FAILED: $(cat "$cmd")"
		failed=1
	fi
done
[ "$count" -gt 0 ] || { echo "no .cmd files in $folder"; exit 1; }
echo "$count commands compared"
exit $failed
