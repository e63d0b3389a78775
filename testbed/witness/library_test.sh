#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# library_test.sh BOCHS_SO QEMU_SO BOCHS_BARE BOCHS_OTHER QEMU_BARE QEMU_NEW NOTHING - a library
# ends an emulator in which it misses something, and names that; others it leaves alone
bochs=$(realpath "$1") qemu=$(realpath "$2")
failed=0

# expect STATUS TEXT LIBRARY PROGRAM: PROGRAM with LIBRARY ends so and says so, in one line
expect() {
	text=$(WITNESS_FILE="$TEST_TMPDIR/witness.bin" LD_PRELOAD="$3" "$4" 2>&1)
	status=$?
	if [ $status != "$1" ] || [ "$text" != "$2" ]; then
		echo "FAILED: $4: status $status, expected $1; '$text', expected '$2'"
		failed=1
	fi
}

missing="this emulator has no such symbol (testbed/witness/README.md names the tried versions)"
expect 1 "witness: dbg_cpu: $missing" "$bochs" "$3"
expect 1 "witness: _Z19bx_instr_initializej: not an empty instrumentation stub (this Bochs is built otherwise than Debian's)" \
	"$bochs" "$4"
expect 1 "witness: qmp_query_version: $missing" "$qemu" "$5"
expect 1 "witness: QEMU 99.1: not tried (try it, then add a row to testbed/witness/qemu.c)" "$qemu" "$6"
expect 0 runs "$bochs" "$7"
expect 0 runs "$qemu" "$7"
exit $failed
