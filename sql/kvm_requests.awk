# SPDX-License-Identifier: GPL-2.0-only
# kvm_requests.awk - makes kvm_requests.sql from KVM's own headers, of all series in kvm/series:
#
#   H=/usr/src/linux-headers-*-common
#   awk -f sql/kvm_requests.awk $(for h in $H; do
#       echo $h/include/linux/kvm_host.h $h/arch/x86/include/asm/kvm_host.h; done) >sql/kvm_requests.sql
#
# The headers are only in packages that a build of the collector does not need, so what comes out is
# kept in the tree. Where a number is another request in another series it has both names: A|B.

# The number in the text of a macro: "2", "(0 | FLAGS)", "KVM_ARCH_REQ(3)", "..._FLAGS(14, FLAGS)".
function number_in(text,    is_arch) {
	is_arch = text ~ /KVM_ARCH_REQ/
	gsub(/KVM_[A-Z_]+/, "", text)
	if (!match(text, /[0-9]+/))
		return -1
	return substr(text, RSTART, RLENGTH) + (is_arch ? 8 : 0)
}

/^#define KVM_REQUEST_ARCH_BASE/ && $3 != 8 {
	print "kvm_requests.awk: " FILENAME ": the first number of an architecture is not 8" >"/dev/stderr"
	failed = 1
}

/^#define KVM_REQ_[A-Z0-9_]+[ \t]/ {
	name = substr($2, 9)
	text = $0
	sub(/^#define [A-Z0-9_]+/, "", text)
	while (text ~ /\\$/ && (getline line) > 0)
		text = text line
	number = number_in(text)
	if (number < 0)
		next
	if (!(number in names))
		names[number] = name
	else if (!index("|" names[number] "|", "|" name "|"))
		names[number] = names[number] "|" name
}

END {
	if (failed)
		exit 1
	print "-- Made by kvm_requests.awk from the kernel's headers: KVM's requests by their numbers (KVM_REQ_*)."
	print "-- A number that is another request in another kernel series has both names, A|B; one without a name"
	print "-- is REQUEST_number."
	print "DROP VIEW IF EXISTS kvm_requests;"
	print "CREATE VIEW kvm_requests(number, name) AS"
	print "VALUES"
	for (i = 0; i < 64; i++)
		printf "  (%d, '%s')%s\n", i, i in names ? names[i] : "REQUEST_" i, i < 63 ? "," : ";"
}
