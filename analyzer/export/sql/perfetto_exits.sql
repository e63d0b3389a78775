-- Exits as slices, columns X_... of perfetto.c. The filter of where.h takes the place after WHERE.
SELECT
  e.vcpu,
  e.tsc,
  e.reason,
  e.cycles,
  x.key_text,
  x.handler_ns,
  x.halted_ns,
  x.userspace_ns,
  x.preempted_ns,
  x.user_reason_name,
  CASE WHEN NOT e.flags & 0x2000 THEN e.rip END,
  e.seq,
  e.pcpu,
  x.fastpath,
  x.nested,
  x.synthesized
FROM exit e
JOIN exits x ON x.id = e.rowid
WHERE %s
ORDER BY e.rowid
