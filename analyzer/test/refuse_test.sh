#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# refuse_test.sh ANALYZER EXEC DATABASE - files and outputs that can't be used:
# one line on stderr that names the trouble, nothing on stdout, status 1, the
# file unchanged
analyzer=$(realpath "$1") exec=$(realpath "$2") good=$(realpath "$3")
cd "$(mktemp -d)" || exit 1
failed=0

fail() {
	echo "FAILED: $*"
	failed=1
}

# refuses FILE TEXT [ARG...]: top-exits on FILE must complain with TEXT
refuses() {
	file=$1 text=$2
	shift 2
	before=$(cksum "$file" 2>&1)
	"$analyzer" --db "$file" "${@:-top-exits}" >out 2>err
	[ $? = 1 ] || fail "$file: status is not 1"
	[ -s out ] && fail "$file: something on stdout"
	[ "$(wc -l <err)" = 1 ] || fail "$file: not one line: $(cat err)"
	grep -qF -- "$text" err || fail "$file: '$text' is not in: $(cat err)"
	[ "$before" = "$(cksum "$file" 2>&1)" ] || fail "$file: changed"
}

refuses missing.sqlite "No such file"
mkdir folder
"$analyzer" --db folder top-exits 2>err && fail "folder: accepted"
grep -q "not a file (--db names a run database)" err || fail "folder: $(cat err)"
: >empty
refuses empty "is empty"
echo "hello, this is a text file" >text
refuses text "not an SQLite database"
echo "CREATE TABLE t(x);" >foreign.sql
"$exec" foreign foreign.sql
refuses foreign "not one of the collector's"
cp "$good" future
chmod u+w future
echo "PRAGMA user_version = 99;" >future.sql
"$exec" future future.sql
refuses future "newer version"
head -c 40000 "$good" >truncated
refuses truncated "damaged"
# A page of zeros in the middle of the tables that are read.
for page in 2 10 40; do
	cp "$good" zeroed
	chmod u+w zeroed
	dd if=/dev/zero of=zeroed bs=4096 seek=$page count=200 conv=notrunc 2>/dev/null
	before=$(cksum zeroed)
	"$analyzer" --db zeroed top-exits --run 1 --exact >out 2>err
	status=$?
	[ $status -le 1 ] || fail "zeroed at page $page: status $status"
	[ $status = 0 ] || [ "$(wc -l <err)" = 1 ] || fail "zeroed at page $page: $(cat err)"
	[ "$before" = "$(cksum zeroed)" ] || fail "zeroed at page $page: changed"
done

# Bytes changed anywhere (with others of the file, so that each time it is the
# same): an answer or one line, never a crash.
size=$(wc -c <"$good")
awk 'BEGIN { srand(7); for (i = 0; i < 60; i++) print int(rand() * '"$size"'), int(rand() * 200) + 1 }' >places
while read -r place count; do
	cp "$good" changed
	chmod u+w changed
	dd if="$good" of=changed bs=1 skip=$((place * 7 % size)) seek="$place" count="$count" conv=notrunc 2>/dev/null
	for command in "top-exits --run 1" "top-exits --run 1 --by subkey" "timeline --run 2" "compare 1 2" runs; do
		# shellcheck disable=SC2086
		"$analyzer" --db changed $command >out 2>err
		status=$?
		[ $status -le 1 ] || fail "changed at $place: $command: status $status"
		[ $status = 0 ] || [ "$(wc -l <err)" = 1 ] || fail "changed at $place: $command: $(cat err)"
	done
done <places

# Nothing is left next to a database, and a folder that can't be written will do.
mkdir readonly
cp "$good" readonly/run.sqlite
echo "PRAGMA journal_mode = WAL;" >wal.sql
chmod u+w readonly/run.sqlite
"$exec" readonly/run.sqlite wal.sql
chmod a-w readonly readonly/run.sqlite
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod a+rx . && as="setpriv --reuid 65534 --clear-groups"
fi
$as "$analyzer" --db readonly/run.sqlite top-exits --run 1 >out 2>err || fail "read-only folder: $(cat err)"
grep -q MSR_WRITE out || fail "read-only folder: no table"

# Columns that no table has: the error alone, no rows that a script could take for the answer.
for format in table csv json; do
	for words in "top-exits --run 1" "latency --run 1" runs; do
		words="$words --format $format --columns none"
		# shellcheck disable=SC2086
		"$analyzer" --db "$good" $words >out 2>err
		[ $? = 1 ] || fail "$words: status is not 1"
		[ -s out ] && fail "$words: $(cat out)"
		[ "$(wc -l <err)" = 1 ] || fail "$words: not one line: $(cat err)"
		grep -q '^analyzer: --columns none: none of ' err || fail "$words: $(cat err)"
	done
done

# Options that would change nothing, or whose second value would undo the first: an error.
says() {
	text=$1
	shift
	"$analyzer" "$@" >out 2>err
	[ $? = 1 ] || fail "$*: status is not 1"
	[ -s out ] && fail "$*: $(cat out)"
	[ "$(wc -l <err)" = 1 ] || fail "$*: not one line: $(cat err)"
	grep -qF -- "$text" err || fail "$*: '$text' is not in: $(cat err)"
}
for command in runs vmx-caps push fleet "sql select"; do
	# shellcheck disable=SC2086
	says "--cycles: unknown option" $command --cycles
done
for command in compact expand fleet; do
	says "--db: unknown option" --db "$good" $command
	"$analyzer" $command --help | grep -q -- "^  --db" && fail "$command --help: --db"
done
for option in run vm vcpu reason from to columns; do
	says "--$option: given twice" --db "$good" top-exits --$option 1 --$option=2
done
"$analyzer" --db missing --db "$good" top-exits --run 1 --limit 1 --limit 2 >out 2>err ||
	fail "--db and --limit twice: $(cat err)"
says "--symbols: only with --by rip" --db "$good" top-exits --symbols System.map
says "--slide: only with --symbols" --db "$good" top-exits --by rip --slide 0
says "--slide: only with --symbols" --db "$good" export --format folded --slide 0
for command in top-exits latency; do
	says "--cr3-names: only with --by cr3" --db "$good" $command --cr3-names names
	says "--memory-map: only with --by region" --db "$good" $command --memory-map map
done

# stdout that can't take it
"$analyzer" --db "$good" top-exits --run 1 >/dev/full 2>err
[ $? = 1 ] || fail "/dev/full: status is not 1"
grep -q "No space left" err || fail "/dev/full: $(cat err)"
for words in "" --help --version "top-exits --help"; do
	# shellcheck disable=SC2086 # several words or none
	"$analyzer" $words >/dev/full 2>err
	[ $? = 1 ] || fail "$words >/dev/full: status is not 1"
	[ "$(cat err)" = "analyzer: standard output: No space left on device" ] || fail "$words >/dev/full: $(cat err)"
done

chmod -R u+w .
[ $failed = 0 ] && echo "all refused as they should be"
exit $failed
