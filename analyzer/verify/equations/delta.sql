-- Not an equation: record cycles minus the interval from kvm_exit to kvm_entry of the same exit, as a
-- distribution. On an idle CPU it is nearly constant: the instructions between stamp and tracepoint.
SELECT m.id, c.vcpu_id, k.reason, k.cycles, k.n
FROM crosscheck k
JOIN vcpu c ON c.id = k.vcpu
JOIN vm m ON m.id = c.vm_id
WHERE k.run_id = ?1
  AND k.source = 'match_delta'
ORDER BY m.id, c.id, k.reason, k.cycles
