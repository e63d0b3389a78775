# SPDX-License-Identifier: GPL-2.0-only
# series.sh - reads kvm/series, the table of the kernel series (POSIX sh, also busybox)
#
# The caller sets $series_table, the path of that file.

# All series, the default one first.
series_list() {
	awk '!/^#/ && NF { print $1 }' "$series_table"
}

series_default() {
	series_list | head -n 1
}

# series_column SERIES COLUMN: 2 the suite, 3 the source package, 4 the image packages.
# Nothing for a series that is not in the table.
series_column() {
	awk -v series="$1" -v column="$2" '$1 == series { print $column }' "$series_table"
}
