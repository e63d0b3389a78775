-- Real exits of the totals against kvm_exit events, by reason. The exit that was open when the
-- recording began or ended may be traced on the other side of that time. Events that were lost where
-- records were dropped too leave nothing that shows their reason. Events of a vCPU that is not in the
-- recording (unseen) may count for one that is.
, by_reason AS (
  SELECT
    vm, vcpu_id, reason, real, traced, before, after, untraced, unread,
    real - (traced - before - after + untraced) AS rest,
    (SELECT n FROM lost) * (dropped > 0) AS lost,
    open_exits - (SELECT sum(o.open) FROM counts o WHERE o.vcpu = counts.vcpu) AS late,
    coalesce((SELECT a.n FROM ambiguous a WHERE a.vcpu = counts.vcpu), 0) AS ambiguous
  FROM counts
  WHERE reason IS NOT NULL
    AND real + traced > 0
),
others AS (
  SELECT sum(max(-rest - lost - ambiguous, 0)) <= (SELECT n FROM unseen) AS have_all
  FROM by_reason
)
SELECT vm, vcpu_id, reason, real, traced,
  CASE
    WHEN rest BETWEEN -lost - ambiguous AND unread + late + lost + ambiguous THEN 0
    WHEN rest < 0 AND (SELECT have_all FROM others) THEN 0
    ELSE rest
  END,
  part(before, 'traced before recording')
    || part(after, 'traced after it')
    || part(untraced, 'recorded where events were lost')
    || part(rest, CASE
      WHEN rest < -lost - ambiguous AND (SELECT have_all FROM others) THEN 'of a vCPU that is not in the recording'
      WHEN ambiguous THEN 'unread, lost on both sides, of another VM of the process, or open at the end and traced later'
      ELSE 'unread, lost on both sides, or open at the end and traced later'
    END)
FROM by_reason
WHERE EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'tracefs_entry')
  AND EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'totals')
