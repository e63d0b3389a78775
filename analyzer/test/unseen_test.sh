#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# unseen_test.sh ANALYZER EXEC FIXTURE - exits of vCPUs that --source bpf has no rows of count as
# dropped ones of the whole run
analyzer=$(realpath "$1") exec=$(realpath "$2") fixture=$(realpath "$3")
cd "$(mktemp -d)" || exit 1
failed=0

# Half of them: as many as were recorded.
cp "$fixture" db && chmod u+w db
cat >change.sql <<'END'
UPDATE vcpu SET dropped = 0;
UPDATE run SET source = 'bpf' WHERE id = 1;
INSERT INTO crosscheck (run_id, vcpu, source, name, reason, n)
SELECT 1, NULL, 'bpf', 'no_ring', NULL, exits - 7 FROM runs WHERE run = 1
UNION ALL SELECT 1, NULL, 'bpf', 'no_place', NULL, 7
UNION ALL SELECT 1, NULL, 'bpf', 'missed_runs', NULL, 1000;
END
"$exec" db change.sql || exit 1

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

says 'coverage: 50.0 %' top-exits --run 1
says 'the true counts are higher' top-exits --run 1
says '"coverage": 0.5' top-exits --run 1 --format json
says 'Records are missing: 50.0 % of the exits were dropped' findings --run 1
says 'coverage of these vCPUs: 100.0 %' top-exits --run 1 --vm 1
says ',6000,6000,0.5,' runs --format csv
exit $failed
