-- The capability MSRs of run ?1 by CPU, numbered from IA32_VMX_BASIC.
SELECT cpu, msr - 0x480, value, valid
FROM vmx_capability
WHERE run_id = ?1
  AND msr BETWEEN 0x480 AND 0x493
ORDER BY cpu, msr
