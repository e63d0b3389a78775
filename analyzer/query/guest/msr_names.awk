# SPDX-License-Identifier: GPL-2.0-only
# msr_names.awk - makes msr_names.h from the kernel's own list of MSRs:
#
#   awk -f analyzer/query/guest/msr_names.awk \
#       /usr/src/linux-headers-*-common/arch/x86/include/asm/msr-index.h >analyzer/query/guest/msr_names.h
#
# The header is not in linux-libc-dev, only in a package of kernel headers, which a build of the
# analyzer does not need otherwise. So the table is kept in the tree.
# Of several names of a number the first one counts; bits and masks have no number of 2 digits or more.

function hex(text,    i, n) {
	n = 0
	for (i = 3; i <= length(text); i++)
		n = n * 16 + index("0123456789abcdef", tolower(substr(text, i, 1))) - 1
	return n
}

/^#define MSR_[A-Z0-9_]+[ \t]+0x[0-9a-fA-F]+([ \t]|$)/ {
	name = substr($2, 5)
	number = hex($3)
	if (name ~ /_(BIT|MASK|SHIFT|ENABLE|DISABLE)(_|$)/ || number in seen)
		next
	seen[number] = 1
	line[++count] = sprintf("\t{0x%08x, \"%s\"},", number, name)
}

END {
	print "/* SPDX-License-Identifier: GPL-2.0-only */"
	print "/* msr_names.h - names of MSRs by number, made by msr_names.awk from the kernel's msr-index.h */"
	print "/* clang-format off */"
	print "static const struct msr_name msr_names[] = {"
	# By number: the text sorts like it.
	for (i = 2; i <= count; i++) {
		for (j = i; j > 1 && line[j] < line[j - 1]; j--) {
			swap = line[j]
			line[j] = line[j - 1]
			line[j - 1] = swap
		}
	}
	for (i = 1; i <= count; i++)
		print line[i]
	print "};"
	print "/* clang-format on */"
}
