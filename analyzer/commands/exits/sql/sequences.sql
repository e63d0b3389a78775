-- Exits in the order of arrival, which per vCPU is the order of the exits. The
-- filter of where.h takes the place after WHERE.
SELECT
  e.vcpu,
  e.seq,
  e.tsc,
  e.reason,
  e.cycles,
  e.halted_cycles
FROM exit e
WHERE %s
ORDER BY e.rowid
