# SPDX-License-Identifier: GPL-2.0-only
# l1_test.sh - sourced by the tests that run scripts in L1 of an emulated machine,
# with the modules that kvm/build made; in the project's folder.

# The caller sets $me, its name in messages.
# begin [tcg|bochs] [SERIES] [CPUS]: sets $machine, $kernel, $cpus and $modules, where
# kvm/build has put the modules; $work is a folder for the test, with the modules and
# selfcheck in $work/ours.
begin() {
	series_table=kvm/series
	. kvm/host/usage.sh
	. kvm/host/series.sh
	words_only "$@"
	machine=${1:-tcg} cpus=${3:-1}
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	bazel build -c opt --config=ci //analyzer //collector //kvm/host:selfcheck //testbed:all \
		>"$work/log" 2>&1 || {
		cat "$work/log" >&2
		exit 1
	}
	kernel=$(testbed/run --machine tcg --kernel "${2:-$(series_default)}" --no-load --quiet \
		-- uname -r | tr -d '\r') || exit 1
	modules=.cache/kvm/$kernel
	[ -f "$modules/vmx_caps.ko" ] ||
		die "$modules/vmx_caps.ko: missing (kvm/build --kernel $kernel)"
	mkdir "$work/ours"
	cp "$modules"/*.ko bazel-bin/kvm/host/selfcheck "$work/ours"
}

# run_l1 SCRIPTS [OPTIONS of testbed/run]: runs scripts of this folder in L1, one after
# the other; what they say goes to the file $work/out too. Status: that of testbed/run.
run_l1() {
	scripts=$1
	shift
	for script in $scripts l1_functions.sh; do
		set -- "$@" --add "kvm/test/$script:/test/$script"
	done
	for file in kvm/install kvm/uninstall kvm/series kvm/dkms.conf kvm/host/*.sh; do
		set -- "$@" --add "$file:/$file"
	done
	set -- "$@" --add VERSION:/VERSION
	testbed/run --machine "$machine" --kernel "$kernel" --cpus "$cpus" --no-load --quiet \
		--time-limit 3600 --add "$work/ours:/ours" "$@" -- \
		sh -c "status=0; for t in $scripts; do sh /test/\$t || status=1; done; exit \$status" >"$work/out"
	status=$?
	tr -d '\r' <"$work/out" | grep -v '^\[ *[0-9.]*\]'
	return $status
}

# end STATUS: counts the lines "ok: " and "FAILED: " of $work/out.
end() {
	passed=$(grep -c '^ok: ' "$work/out")
	failed=$(grep -c '^FAILED: ' "$work/out")
	[ "$1" = 0 ] && [ "$passed" != 0 ] || [ "$failed" != 0 ] || failed=1
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}
