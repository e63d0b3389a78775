#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The ABI header's own assertions about sizes and offsets hold for 32-bit programs too, and it
# compiles in every dialect.
#	abi_32bit_test.sh HEADER
set -eu
multiarch=$(gcc -print-multiarch)
compile() {
	gcc -m32 -ffreestanding -fsyntax-only -Wall -Werror -isystem "/usr/include/$multiarch" -x c "$1"
}

compile "$1"
# So does a program in C90 without extensions, or in any C++.
for language in c:c90 c:c17 c++:c++98 c++:c++11 c++:c++20; do
	gcc -fsyntax-only -Wall -Wextra -pedantic-errors -Werror -x "${language%:*}" -std="${language#*:}" \
		-include stddef.h "$1"
done
# And they see a hole, which only 64-bit programs would have.
sed 's/^\t__u64 vm_id;$/\t__u32 hole;\n&/' "$1" >"$TEST_TMPDIR/hole.h"
! compile "$TEST_TMPDIR/hole.h" 2>"$TEST_TMPDIR/log"
grep -q 'static assertion failed' "$TEST_TMPDIR/log"
