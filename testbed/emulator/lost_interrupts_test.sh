#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# lost_interrupts_test.sh SO QEMU QEMU_10 QEMU_BARE NOTHING - the library tells a CPU of an interrupt
# that stays pending, and no other; it ends a QEMU that it does not know
library=$(realpath "$1")
failed=0

# expect STATUS TEXT PROGRAM: PROGRAM with the library ends so and says so, in one line
expect() {
	text=$(LD_PRELOAD="$library" "$3" 2>&1)
	status=$?
	if [ $status != "$1" ] || [ "$text" != "$2" ]; then
		echo "FAILED: $3: status $status, expected $1; '$text', expected '$2'"
		failed=1
	fi
}

told="told: 0 1 0, without the lock: 0"
expect 0 "$told" "$2"
expect 0 "$told" "$3"
expect 1 "lost_interrupts: cpu_get_current_apic: this QEMU has no such symbol (QEMU 7.2 has)" "$4"
expect 0 runs "$5"
exit $failed
