-- CPUID exits of run ?1 with a leaf of ours; ?2: run.isa, 1 is VMX, whose CPUID is reason 10; SVM's
-- is 0x72.
SELECT
  v.id,
  v.vm_id,
  v.vcpu_id,
  e.tsc,
  e.cycles,
  e.key,
  e.key_aux
FROM exit e
JOIN vcpu v ON v.id = e.vcpu
JOIN vm m ON m.id = v.vm_id
WHERE m.run_id = ?1
  AND e.key BETWEEN 0x4ffffffc AND 0x4fffffff
  AND CASE ?2
    WHEN 1 THEN e.reason & 0xffff = 10
    ELSE e.reason = 0x72
  END
