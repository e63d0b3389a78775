-- kvm_entry events against kvm_exit events; a VM entry that fails with VMfail has no exit, and one
-- that 5.10's vmx_vcpu_run() makes by itself after a fastpath has no kvm_entry. Older kernels
-- trace one before they find that they must emulate, at each synthesized exit, which has no kvm_exit.
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
    (SELECT coalesce(sum(r.n), 0) FROM reentered r WHERE r.vcpu = v.id) AS again,
    (SELECT coalesce(sum(h.synth), 0) FROM held h WHERE h.vcpu = v.id) AS synth
  FROM vcpus v
),
more AS (
  SELECT *, entries + again - exits - vmfail AS more
  FROM by_vcpu
  WHERE entries IS NOT NULL
),
with_emulated AS ( -- all of them or none; the first one may have been before the trace
  SELECT *, CASE WHEN more > 1 AND more BETWEEN synth - 1 AND synth THEN more ELSE 0 END AS emulated
  FROM more
),
rested AS (
  SELECT *, more - emulated AS rest
  FROM with_emulated
)
SELECT vm, vcpu_id, NULL, entries, exits,
  CASE WHEN abs(rest) <= 1 + (SELECT n FROM lost) + (SELECT n FROM unseen) THEN 0 ELSE rest END,
  part(vmfail, 'VM entries that failed with VMfail')
    || part(again, 'entered again by a fastpath, not traced')
    || part(emulated, 'entries that KVM traced and then emulated')
    || CASE
         WHEN rest = 0 THEN ''
         WHEN abs(rest) <= 1 THEN printf('%+lld at the edges, ', rest)
         WHEN (SELECT n FROM unseen) THEN printf('%+lld by edges, lost events and vCPUs that are not in the recording, ', rest)
         ELSE printf('%+lld by lost events and edges, ', rest)
       END
FROM rested
