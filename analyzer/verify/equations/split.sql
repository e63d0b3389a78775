-- How much of the records' time was halted, in user space, preempted and polled, against the totals
-- page, where no record is missing. Cycles of each part; they are added up only to be shown.
, pages AS ( -- one row per vCPU and reason; a part that there was none of has no row
  SELECT
    vcpu,
    reason,
    sum(cycles) FILTER (WHERE name = 'halted') AS halted,
    sum(cycles) FILTER (WHERE name = 'userspace') AS userspace,
    sum(cycles) FILTER (WHERE name = 'preempted') AS preempted,
    sum(cycles) FILTER (WHERE name = 'polled') AS polled
  FROM crosscheck
  WHERE run_id = ?1
    AND source = 'totals_time'
    AND reason IS NOT NULL
  GROUP BY vcpu, reason
),
split AS ( -- one row per vCPU and basic reason: the records that the file holds
  SELECT
    u.vcpu,
    CASE ?2 WHEN 1 THEN u.reason & 0xffff ELSE u.reason END AS reason,
    sum(u.halted_cycles) AS halted,
    sum(u.userspace_cycles) AS userspace,
    sum(u.preempted_cycles) AS preempted,
    sum(u.polled_cycles) AS polled
  FROM reason_sums u
  GROUP BY u.vcpu, 2
),
differences AS (
  SELECT
    c.vm,
    c.vcpu_id,
    c.reason,
    s.halted + s.userspace + s.preempted AS records,
    coalesce(p.halted, 0) + coalesce(p.userspace, 0) + coalesce(p.preempted, 0) AS totals,
    abs(s.halted - coalesce(p.halted, 0)) AS halted,
    abs(s.userspace - coalesce(p.userspace, 0)) AS userspace,
    abs(s.preempted - coalesce(p.preempted, 0)) AS preempted,
    abs(s.polled - coalesce(p.polled, 0)) AS polled
  FROM counts c
  JOIN split s ON s.vcpu = c.vcpu AND s.reason = c.reason
  LEFT JOIN pages p ON p.vcpu = c.vcpu AND p.reason = c.reason
  WHERE c.cycles IS NOT NULL
    AND c.dropped + c.filtered + c.unread = 0
)
SELECT vm, vcpu_id, reason, records, totals, halted + userspace + preempted + polled,
  part(halted, 'CYCLES OF HALTED TIME DIFFER')
    || part(userspace, 'CYCLES OF USER-SPACE TIME DIFFER')
    || part(preempted, 'CYCLES OF PREEMPTED TIME DIFFER')
    || part(polled, 'CYCLES OF POLLED TIME DIFFER')
FROM differences
WHERE EXISTS (SELECT 1 FROM pages)
