-- Repairs what version 1 did wrong in exit_rollup; see migrate.c.

DELETE FROM exit_rollup
WHERE n = 0;

UPDATE exit_rollup
SET min_cycles = NULL, first_tsc = NULL
WHERE min_cycles = 0
  AND first_tsc = 0;

-- Only sums that rest on all of their rows: some of a run's rows may have been deleted.
WITH sums AS ( -- one row per vCPU, interval and reason of a vCPU that has lost values
  SELECT
    e.vcpu,
    (e.tsc - r.tsc_start) / r.rollup_cycles AS slot,
    e.reason,
    count(*) AS n,
    min(e.cycles) AS min_cycles,
    min(e.tsc) AS first_tsc
  FROM exit e
  JOIN vcpu c ON c.id = e.vcpu
  JOIN vm m ON m.id = c.vm_id
  JOIN run r ON r.id = m.run_id
  WHERE e.vcpu IN (SELECT vcpu FROM exit_rollup WHERE first_tsc IS NULL)
  GROUP BY 1, 2, 3
)
UPDATE exit_rollup AS u
SET min_cycles = sums.min_cycles, first_tsc = sums.first_tsc
FROM sums
WHERE u.first_tsc IS NULL
  AND u.vcpu = sums.vcpu
  AND u.slot = sums.slot
  AND u.reason = sums.reason
  AND u.n = sums.n;
