# SPDX-License-Identifier: GPL-2.0-only
# series.sh - reads kvm/series, the table of the kernel series (POSIX sh, also busybox)
#
# The caller sets $series_table, the path of that file.

# series_list [TESTS]: all series, the default one first; with quick or full those that such
# tests take.
series_list() {
	awk -v tests="${1-}" '
		/^#/ || !NF || (tests == "quick" && $5 != "quick") || (tests == "full" && $5 == "hand") {
			next
		}
		{ print $1 }' "$series_table"
}

series_default() {
	series_list | head -n 1
}

# is_other_suite SUITE: whether it is not the Debian suite, or the backports, of this system.
is_other_suite() {
	[ "${1%-backports}" != "$(. /etc/os-release && echo "${VERSION_CODENAME-}")" ]
}

# series_column SERIES COLUMN: 2 the suite, 3 the source package, 4 the image packages, 5 the
# tests that take it.
# Nothing for a series that is not in the table.
series_column() {
	awk -v series="$1" -v column="$2" '$1 == series { print $column }' "$series_table"
}
