#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# unseen_test.sh ANALYZER EXEC FIXTURE - exits of vCPUs that a recording has no rows of count as
# dropped ones of the whole run
analyzer=$(realpath "$1") exec=$(realpath "$2") fixture=$(realpath "$3")
cd "$(mktemp -d)" || exit 1
failed=0

# db is the fixture without drops, and change.sql is run on it
start() {
	cp "$fixture" db && chmod u+w db || exit 1
	"$exec" db change.sql || exit 1
}

# Half of them: as many as were recorded.
cat >change.sql <<'END'
UPDATE vcpu SET dropped = 0;
UPDATE run SET source = 'bpf' WHERE id = 1;
INSERT INTO crosscheck (run_id, vcpu, source, name, reason, n)
SELECT 1, NULL, 'bpf', 'no_ring', NULL, exits - 7 FROM runs WHERE run = 1
UNION ALL SELECT 1, NULL, 'bpf', 'no_place', NULL, 7
UNION ALL SELECT 1, NULL, 'bpf', 'missed_runs', NULL, 1000;
END
start

# says TEXT ARGUMENT...: analyzer's output has TEXT
says() {
	text=$1
	shift
	"$analyzer" --db db "$@" >out 2>&1
	if ! grep -qF "$text" out; then
		echo "FAILED: analyzer $*: does not say: $text"
		cat out
		failed=1
	fi
}

half_is_unseen() {
	says 'coverage: 50.0 %' top-exits --run 1
	says 'the true counts are higher' top-exits --run 1
	says '6,000 of the dropped exits are of vCPUs that are not in the recording' top-exits --run 1
	says '"coverage": 0.5' top-exits --run 1 --format json
	says 'Records are missing: 50.0 % of the exits were dropped' findings --run 1
	says '6,000 of them of vCPUs' findings --run 1
	says 'coverage of these vCPUs: 100.0 %' top-exits --run 1 --vm 1
	says ',6000,6000,0.5,' runs --format csv
}
half_is_unseen
"$analyzer" --db db report --run 1 --html page.html || failed=1
if ! grep -qF '6,000 of the dropped exits are of vCPUs' page.html; then
	echo "FAILED: the page does not say it"
	failed=1
fi

# The same of vCPUs whose rings kvm.ko gave up before they were read.
cat >change.sql <<'END'
UPDATE vcpu SET dropped = 0;
UPDATE run SET source = 'device' WHERE id = 1;
INSERT INTO crosscheck (run_id, vcpu, source, name, reason, n)
SELECT 1, NULL, 'ring', 'lost_exits', NULL, exits FROM runs WHERE run = 1
UNION ALL SELECT 1, NULL, 'bpf', 'lost_exits', NULL, 1000;
END
start
half_is_unseen
exit $failed
