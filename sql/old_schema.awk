# SPDX-License-Identifier: GPL-2.0-only
# old_schema.awk - makes the tables of an older version of schema.sql: awk -v version=N
#
# Leaves out the columns whose comment begins with a later version in brackets, [4], and the comma
# that is left before the closing parenthesis of a table.

match($0, /-- \[[0-9]+\]/) && substr($0, RSTART + 4, RLENGTH - 5) + 0 > version {
	left_out = 1
	next
}

left_out && /^\)/ { sub(/,/, "", last) }

{ left_out = 0 }

NR > 1 { print last }

{ last = $0 }

END { print last }
