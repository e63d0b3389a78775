-- The parts of each record's time add up to it: handler, halted, user space and preempted, and polled
-- is a part of halted. Rows have no column for the handler's time, so the collector counts the
-- records whose parts differ; a row or a sum must not have parts of more than its time.
, by_vcpu AS (
  SELECT
    v.vm,
    v.vcpu_id,
    v.recorded,
    (
      SELECT coalesce(sum(k.n), 0)
      FROM crosscheck k
      WHERE k.run_id = ?1
        AND k.vcpu = v.id
        AND k.source = 'records'
        AND k.name = 'parts differ'
    ) AS differ,
    s.uneven AS rows,
    coalesce((SELECT sum(u.uneven) FROM reason_sums u WHERE u.vcpu = v.id), 0) AS sums
  FROM vcpus v
  JOIN vcpu_sums s ON s.vcpu = v.id
)
SELECT vm, vcpu_id, NULL, recorded, recorded - max(differ, rows, sums), max(differ, rows, sums),
  part(differ, 'WHOSE PARTS DO NOT ADD UP')
    || part(rows, 'ROWS WITH PARTS OF MORE THAN THEIR TIME')
    || part(sums, 'IN SUMS WITH PARTS OF MORE THAN THEIR TIME')
FROM by_vcpu
WHERE EXISTS (SELECT 1 FROM run WHERE id = ?1 AND has_split)
