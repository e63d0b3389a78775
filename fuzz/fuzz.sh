#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fuzz.sh NAME FUZZER DICTIONARY LONGEST INPUT... -- [OPTION... | FILE]: what bazel run //fuzz:NAME
# starts
#
# Inputs that reach new code are kept in .cache/fuzz/NAME, those that end badly in
# .cache/fuzz/NAME-crashes. Options are libFuzzer's.
set -eu
name=$1 fuzzer=$2 dictionary=$3 longest=$4
shift 4
fuzzer=$PWD/$fuzzer

kept=$BUILD_WORKSPACE_DIRECTORY/.cache/fuzz/$name
crashes=$kept-crashes
mkdir -p "$kept" "$crashes"
while [ "$1" != -- ]; do
	case $1 in
	*.gz) gzip -dc "$1" >"$kept/$(basename "$1" .gz)" ;;
	*) cp -f "$1" "$kept/$(basename "$1")" ;;
	esac
	shift
done
shift

# libFuzzer takes files to run, or folders to fuzz with, not both.
cd "${BUILD_WORKING_DIRECTORY:-.}"
for word; do
	if [ -f "$word" ]; then
		exec "$fuzzer" "-artifact_prefix=$crashes/" -timeout=20 -rss_limit_mb=1500 "$@"
	fi
done
cd "$OLDPWD"

[ "$dictionary" = - ] || set -- "-dict=$dictionary" "$@"
exec nice -n 19 "$fuzzer" -artifact_prefix="$crashes/" -timeout=20 -rss_limit_mb=1500 \
	"-max_len=$longest" -print_final_stats=1 "$@" "$kept"
