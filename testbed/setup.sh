# SPDX-License-Identifier: GPL-2.0-only
# setup.sh - sourced by ./demo and ./check: installs what is missing on a
# Debian 12 or 13 machine and pins the kernels that the test beds boot.
#
# The caller sets $me, its name in messages, and stands in the project's folder.
# What stays on the machine: Debian packages, and .cache/kernels with the kernel
# versions found. A second run finds both and does nothing.
series_table=kvm/series
. kvm/host/usage.sh
. kvm/host/series.sh

BED_PACKAGES="bochs bochsbios vgabios bochs-term busybox-static cpio syslinux mtools dosfstools
	cpuid python3 kmod xz-utils lz4"
BUILD_PACKAGES="build-essential bazel-bootstrap pkg-config libsqlite3-dev sqlite3 zlib1g-dev
	libtraceevent-dev libtracefs-dev libzstd-dev libcurl4-gnutls-dev patch
	$(series_column "$(series_default)" 3) clang bpftool libbpf-dev libelf-dev"
# Only ./check: the SVM machine, perf to compare with, a browser and a terminal for what is
# drawn, clang's tools and libFuzzer, Prometheus to read what is exported, Debian's checker of
# packages, systemd to check and start the service.
CHECK_PACKAGES="qemu-system-x86 linux-perf pahole curl chromium tmux mandoc clang-format clang-tidy
	universal-ctags libclang-rt-dev procps prometheus prometheus-node-exporter lintian
	systemd-container"
# Only ./check --full: what a kernel's build needs.
DEBUG_KERNEL_PACKAGES="flex bison bc libelf-dev"
# Only ./check: servers to push to (80 MB), which Debian 13 no longer has, and certificates for them.
SERVER_PACKAGES="clickhouse-server openssl"
[ "$(own_suite)" != trixie ] || SERVER_PACKAGES=
# Only ./check --full: what builds our modules when a kernel is installed.
DKMS_PACKAGES="dkms"
# ./check proofs, which is part of --full: Spin, and what has the kernel's memory model. CBMC and
# herd7, which this Debian has not, are fetched by kvm/host/suite.
PROOF_PACKAGES="build-essential python3 spin $(series_column "$(series_default)" 3)"

setup_say() { printf '%s\n' "$*"; }

# Says in one line what this machine lacks that no package can bring.
setup_machine_ok() {
	[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
		die "this is $(uname -s) on $(uname -m): Linux on x86-64 is needed"
	command -v apt-get >/dev/null && [ -r /etc/debian_version ] ||
		die "this is not a Debian system: use Debian 12 or 13 (a container or virtual machine will do)"
	case $(cat /etc/debian_version) in
	12* | 13*) ;;
	*) die "this is Debian $(cat /etc/debian_version): Debian 12 or 13 is needed (a container or virtual machine will do)" ;;
	esac
	[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -ge 6000000 ] ||
		die "less than 6 GB are free here: free some space, or clone onto a larger disk"
}

setup_as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "packages are missing and this is not a root shell: run it as root"
	fi
}

setup_missing() {
	for p in "$@"; do
		dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -x installed >/dev/null || echo "$p"
	done
}

# The newest -cloud-amd64 kernel of a series with the version of its linux-source.
setup_find_kernel() {
	local series=$1 version source_package

	source_package=$(series_column "$series" 3)
	[ -n "$source_package" ] || die "Linux $series: not in kvm/series ($(series_list | xargs))"
	if is_foreign "$series"; then
		kvm/host/suite kernel "$series"
		return
	fi
	version=$(source_version "$source_package" apt-cache)
	[ -n "$version" ] ||
		die "apt offers no $source_package: check /etc/apt/sources.list and run apt-get update"
	newest_kernel "$series" "$version" apt-cache
}

# setup_kernel SERIES: the kernel version (uname -r) that the beds boot.
setup_kernel() {
	sed -n "s/^$1 //p" .cache/kernels
}

# setup_all SERIES... -- PACKAGES...
setup_all() {
	local series="" missing kver s

	while [ "$1" != -- ]; do
		series="$series $1"
		shift
	done
	shift
	setup_machine_ok
	mkdir -p .cache
	[ -e .cache/kernels ] || : >.cache/kernels
	missing=$(setup_missing "$@")
	for s in $series; do
		kver=$(setup_kernel "$s")
		if [ -z "$kver" ]; then
			missing="$missing series-$s"
		elif ! is_foreign "$s" &&
			[ -n "$(setup_missing "linux-headers-$kver" "$(series_column "$s" 3)")" ]; then
			missing="$missing series-$s"
		fi
	done
	[ -n "$missing" ] || return 0

	setup_say "set-up: reading the package lists"
	setup_as_root apt-get update -qq || die "apt-get update failed: see above"
	for s in $series; do
		kver=$(setup_find_kernel "$s") || exit 1
		[ -n "$kver" ] || die "no linux-headers of series $s fit its source package: run apt-get update, then try again"
		sed -i "/^$s /d" .cache/kernels
		echo "$s $kver" >>.cache/kernels
		# kvm/build gets what it needs of another suite itself.
		is_foreign "$s" ||
			set -- "$@" "$(series_column "$s" 3)" "linux-headers-$kver"
	done
	missing=$(setup_missing "$@")
	[ -n "$missing" ] || return 0
	setup_say "set-up: installing" $missing
	# linux-source is named too, so that an older one is brought to the version chosen.
	setup_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		-o DPkg::Lock::Timeout=600 --no-install-recommends "$@" >.cache/apt.log 2>&1 ||
		die "apt-get install failed: the end of .cache/apt.log says why: $(tail -1 .cache/apt.log)"
}

# Bazel, with its progress on a terminal and silent elsewhere unless it fails.
setup_bazel() {
	local cmd=$1
	shift
	if [ -t 2 ]; then
		bazel "$cmd" --ui_event_filters=-info,-debug --noshow_loading_progress "$@"
	else
		bazel "$cmd" --config=ci --ui_event_filters=-info,-debug,-stdout "$@"
	fi || die "bazel $cmd failed: see above"
}
