-- kvm_entry events against kvm_exit events; a VM entry that fails with VMfail has no exit, and one
-- that 5.10's vmx_vcpu_run() makes by itself after a fastpath has no kvm_entry.
, by_vcpu AS (
  SELECT
    v.vm, v.vcpu_id, v.vmfail,
    (SELECT coalesce(sum(c.traced), 0) FROM counts c WHERE c.vcpu = v.id) AS exits,
    (
      SELECT sum(k.n)
      FROM crosscheck k
      WHERE k.run_id = ?1
        AND k.vcpu = v.id
        AND k.source = 'tracefs_entry'
        AND k.name = 'entries'
    ) AS entries,
    (SELECT coalesce(sum(r.n), 0) FROM reentered r WHERE r.vcpu = v.id) AS again
  FROM vcpus v
),
rested AS (
  SELECT *, entries + again - exits - vmfail AS rest
  FROM by_vcpu
  WHERE entries IS NOT NULL
)
SELECT vm, vcpu_id, NULL, entries, exits,
  CASE WHEN abs(rest) <= 1 + (SELECT n FROM lost) + (SELECT n FROM unseen) THEN 0 ELSE rest END,
  part(vmfail, 'VM entries that failed with VMfail')
    || part(again, 'entered again by a fastpath, not traced')
    || CASE
         WHEN rest = 0 THEN ''
         WHEN abs(rest) <= 1 THEN printf('%+lld at the edges, ', rest)
         WHEN (SELECT n FROM unseen) THEN printf('%+lld by edges, lost events and vCPUs that are not in the recording, ', rest)
         ELSE printf('%+lld by lost events and edges, ', rest)
       END
FROM rested
