-- A record is at least as long as the time from kvm_exit to kvm_entry of the same exit, and ends
-- before the next one.
SELECT vm, vcpu_id, reason, matched, matched - shorter, shorter + overlaps,
  part(shorter, 'SHORTER THAN THE TRACED INTERVAL')
    || part(overlaps, 'UP TO THE NEXT EXIT OR BEYOND')
FROM counts
WHERE matched > 0
  AND EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'tracefs_exit')
