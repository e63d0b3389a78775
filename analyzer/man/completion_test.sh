#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# completion_test.sh COMPLETION ANALYZER COLLECTOR BOOT_DB - what Tab offers
script=$(realpath "$1") analyzer=$(realpath "$2") collector=$(realpath "$3") boot_db=$(realpath "$4")
cd "$(mktemp -d)" || exit 1
mkdir bin files
ln -s "$analyzer" bin/analyzer
ln -s "$collector" bin/collector
PATH=$PWD/bin:$PATH
"$boot_db" run.sqlite metal noraw 1
touch files/a.html files/b.map
. "$script"
failed=0

# offers WORDS... = EXPECTED...: the replies for the last of WORDS, in any order
offers()
{
	local words=() expected

	while [ "$1" != = ]; do
		words+=("$1")
		shift
	done
	shift
	expected=$(printf '%s\n' "$@" | sort)
	COMP_WORDS=("${words[@]}")
	COMP_CWORD=$((${#words[@]} - 1))
	COMPREPLY=()
	"_exitscope_${words[0]}"
	if [ "$(printf '%s\n' "${COMPREPLY[@]}" | sort)" != "$expected" ]; then
		echo "FAILED: ${words[*]}: ${COMPREPLY[*]} (expected: $*)"
		failed=1
	fi
}

offers analyzer l = latency list live
offers analyzer --db run.sqlite to = top-exits
offers analyzer --v = --version
offers analyzer report --h = --help --html
offers analyzer top-exits --sort m = mean max
offers analyzer top-exits --by "" = reason subkey vm vcpu rip userspace-reason pcpu cr3 region
offers analyzer latency --by "" = reason vm vcpu cr3 region
offers analyzer states --by "" = vm vcpu
offers analyzer live --by "" = reason vm
offers analyzer live --sort p = p99
offers analyzer export --format "" = csv json ndjson folded openmetrics prometheus perfetto rows
offers analyzer latency --format c = csv
offers analyzer timeline --table p = phases
offers analyzer ipi --table "" = ipis wakes
offers analyzer top-exits --reason EPT_ = EPT_VIOLATION EPT_MISCONFIG
offers analyzer top-exits --reason HLT,MSR_W = HLT,MSR_WRITE HLT,MSR_WRITE_IMM
offers analyzer --db run.sqlite top-exits --vcpu "" = 0 1
offers analyzer --db none.sqlite top-exits --vcpu "" = ""
offers analyzer report --html files/ = files/a.html files/b.map
offers analyzer symbols files/b = files/b.map
offers analyzer baseline files/b = files/b.map
offers analyzer top-exits --memory-map files/b = files/b.map
offers analyzer list --cr3-names files/b = files/b.map
offers analyzer top-exits --limit "" = ""
offers analyzer runs --run "" = 'synthetic\ \<boot\>\ \&\ load'
offers analyzer compare files/b = files/b.map
offers analyzer compare syn = 'synthetic <boot> & load'
offers analyzer baseline syn = 'synthetic <boot> & load'
offers analyzer compact files/b = files/b.map
offers analyzer expand files/a = files/a.html
offers analyzer explain EPT_ = EPT_VIOLATION EPT_MISCONFIG
offers analyzer top-exits --columns share = share share_bar
offers analyzer top-exits --columns name,p9 = name,p99 name,p90_by_p10
offers analyzer compare 1 2 --fail-on new,p = new,p50= new,p99=
offers analyzer push --without rip,c = rip,cr3 rip,command rip,comm
offers analyzer --db run.sqlite top-exits --vm "" = $(analyzer sql --format csv "SELECT coalesce(name, vm) FROM vms" | tail -n +2)
offers collector --n = --no-raw
offers collector --r = --reason --ring-records --rollup --run
offers collector -- = $(collector --help | sed -n 's/^  \(-h, \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p')
offers collector --source b = best bpf
offers collector i = import
offers collector --db files/ = files/a.html files/b.map
offers collector --db x -- files/a = files/a.html
# Every option of every command is offered.
for command in $(analyzer --help | awk '/^  [a-z]/ && $1 != "analyzer" { print $1 }'); do
	offers analyzer "$command" -- = --help $(analyzer "$command" --help |
		awk '/^Options:/ { on = 1 } on && $1 ~ /^--/ { print $1 }')
done
[ $failed = 0 ] && echo "completion is as expected"
exit $failed
