-- The parts of each record's time add up to it: handler, halted, user space and preempted, and polled
-- is a part of halted. Rows have no column for the handler's time, so the collector counts the
-- records whose parts differ; a row or a sum must not have parts of more than its time.
-- uneven_rows() is of verify_rows.c: one pass over the rows.
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
    uneven_rows(v.id) AS rows,
    (
      SELECT coalesce(sum(u.n), 0)
      FROM exit_rollup u
      WHERE u.vcpu = v.id
        AND (
          u.halted_cycles + u.userspace_cycles + u.preempted_cycles > u.cycles
          OR u.polled_cycles > u.halted_cycles
        )
    ) AS sums
  FROM vcpus v
)
SELECT vm, vcpu_id, NULL, recorded, recorded - max(differ, rows, sums), max(differ, rows, sums),
  part(differ, 'WHOSE PARTS DO NOT ADD UP')
    || part(rows, 'ROWS WITH PARTS OF MORE THAN THEIR TIME')
    || part(sums, 'IN SUMS WITH PARTS OF MORE THAN THEIR TIME')
FROM by_vcpu
WHERE EXISTS (SELECT 1 FROM run WHERE id = ?1 AND has_split)
