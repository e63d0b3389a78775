# SPDX-License-Identifier: GPL-2.0-only
# series.sh - reads kvm/series, the table of the kernel series (POSIX sh, also busybox)
#
# The caller sets $series_table, the path of that file.

# series_list [TESTS]: all series, in the table's order; with quick or full those that such
# tests take.
series_list() {
	awk -v tests="${1-}" '
		/^#/ || !NF || (tests == "quick" && $5 != "quick") || (tests == "full" && $5 == "hand") {
			next
		}
		{ print $1 }' "$series_table"
}

# The first one of this system's suite, which needs no other suite's compiler; else the first.
series_default() {
	local series

	for series in $(series_list); do
		if ! is_foreign "$series"; then
			echo "$series"
			return
		fi
	done
	series_list | head -n 1
}

# series_suite SERIES: the suite to take its packages from, this system's if it has them.
# Nothing for a series that is not in the table.
series_suite() {
	local suites suite

	suites=$(series_column "$1" 2 | tr , ' ')
	for suite in $suites; do
		if ! is_other_suite "$suite"; then
			echo "$suite"
			return
		fi
	done
	echo "${suites%% *}"
}

# The Debian suite of this system; nothing on one that has no name for it, or no such file.
own_suite() {
	[ ! -r /etc/os-release ] || (. /etc/os-release && echo "${VERSION_CODENAME-}")
}

# is_other_suite SUITE: whether it is not the Debian suite, or the backports, of this system.
is_other_suite() {
	[ "${1%-backports}" != "$(own_suite)" ]
}

# is_foreign SERIES: whether its packages are of another suite (kernel.py has the same).
is_foreign() {
	is_other_suite "$(series_suite "$1")"
}

# source_version PACKAGE APT_CACHE...: the version that apt would install; nothing if it has none.
# APT_CACHE is the command that asks: apt-cache, or one for another suite.
source_version() {
	local source_package=$1

	shift
	"$@" policy "$source_package" | awk '/Candidate:/ && $2 != "(none)" { print $2 }'
}

# offered_package PACKAGE APT_CACHE...: the package as apt has it. Debian signs images some time after
# it has their headers, and until then has the same image and modules without signatures.
offered_package() {
	local package=$1

	shift
	if [ -z "$(source_version "$package" "$@")" ] &&
		[ -n "$(source_version "$package-unsigned" "$@")" ]; then
		package=$package-unsigned
	fi
	echo "$package"
}

# newest_kernel SERIES VERSION APT_CACHE...: the newest -cloud-amd64 kernel of a series whose
# headers have the version of its source package; nothing if there is none.
newest_kernel() {
	local series=$1 version=$2 package

	shift 2
	"$@" search --names-only "^linux-headers-$series\\..*-cloud-amd64\$" | cut -d' ' -f1 |
		while read -r package; do
			# Not grep -q: it ends early, and apt-cache would die of the broken pipe.
			if "$@" show "$package" | grep -xF "Version: $version" >/dev/null; then
				echo "${package#linux-headers-}"
			fi
		done | sort -V | tail -n 1
}

# series_column SERIES COLUMN: 2 the suites, 3 the source package, 4 the image packages, 5 the
# tests that take it.
# Nothing for a series that is not in the table.
series_column() {
	awk -v series="$1" -v column="$2" '$1 == series { print $column }' "$series_table"
}
