-- Records of real exits against kvm_exit events, exit by exit. Of VMs of one process some events may be
-- counted for the wrong one (ambiguous), and for a VM that is here those of one that is not (unseen).
, by_reason AS (
  SELECT
    c.*,
    max(c.trace_only - c.filtered, 0) AS surplus,
    max(c.trace_only - c.filtered, 0) + c.record_only + c.differ AS wrong,
    coalesce(a.n, 0) AS ambiguous
  FROM counts c
  LEFT JOIN ambiguous a ON a.vcpu = c.vcpu
  WHERE c.reason IS NOT NULL
    AND c.records + c.traced > 0
),
others AS (
  SELECT sum(surplus) <= (SELECT n FROM unseen) AS have_all
  FROM by_reason
)
SELECT vm, vcpu_id, reason, records - synth_records, matched,
  CASE
    WHEN wrong <= ambiguous THEN 0
    WHEN (SELECT have_all FROM others) THEN wrong - surplus
    ELSE wrong
  END,
  part(untraced, 'recorded where events were lost')
    || part(gap, 'traced where records were dropped')
    || part(min(trace_only, filtered), 'traced and filtered out')
    || CASE
      WHEN wrong <= ambiguous THEN part(wrong, 'may be of another VM of the process')
      ELSE part(surplus, CASE
          WHEN (SELECT have_all FROM others) THEN 'of a vCPU that is not in the recording'
          ELSE 'TRACED WITHOUT A RECORD'
        END)
        || part(record_only, 'RECORDED WITHOUT A TRACE EVENT')
        || part(differ, 'OF ANOTHER REASON')
    END
FROM by_reason
WHERE EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'tracefs_entry')
