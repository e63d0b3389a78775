-- Rows of table exit, in the order of arrival. ?1: run.id, ?2: its key on servers, ?3: its day,
-- ?4: after this rowid, ?5: at most so many. NULL is what view exits has as NULL.
SELECT
  ?3 AS day,
  ?2 AS run,
  e.rowid AS id,
  c.vm_id AS vm,
  c.vcpu_id,
  e.vcpu,
  e.seq,
  r.isa,
  r.tsc_khz,
  r.tsc_start,
  e.tsc,
  e.reason,
  coalesce(x.name, 'UNKNOWN_' || CASE r.isa WHEN 1 THEN e.reason & 0xffff ELSE e.reason END)
    || CASE WHEN r.isa = 1 AND e.reason & 0x80000000 THEN ' FAILED_VMENTRY' ELSE '' END AS reason_name,
  CASE WHEN r.has_split THEN e.flags END AS flags,
  CASE
    WHEN NOT r.id IN (SELECT k.run_id FROM crosscheck k WHERE k.source = 'trace' AND k.name = 'untimed')
      THEN e.cycles
  END AS cycles,
  CASE WHEN r.has_split THEN e.halted_cycles END AS halted_cycles,
  CASE WHEN r.has_split THEN e.userspace_cycles END AS userspace_cycles,
  CASE WHEN r.has_split THEN e.preempted_cycles END AS preempted_cycles,
  CASE WHEN NOT e.flags & 0x2000 THEN e.rip END AS rip,
  e.key,
  e.key_aux,
  e.qualification,
  e.info2,
  e.intr_info,
  e.error_code,
  e.user_reason,
  e.pcpu,
  e.cr3,
  CASE WHEN r.features & 0x10 THEN coalesce(e.polled_cycles, 0) ELSE e.polled_cycles END AS polled_cycles,
  CASE WHEN e.flags & 0x8000 THEN coalesce(e.value, 0) END AS value,
  CASE WHEN e.flags & 0x10000 THEN coalesce(e.requests, 0) END AS requests,
  CASE WHEN e.flags & 0x20000 THEN coalesce(e.entry_event, 0) END AS entry_event,
  CASE WHEN e.flags & 0x40000 THEN coalesce(e.entry_error_code, 0) END AS event_error_code,
  CASE
    WHEN e.flags & 4
      THEN CASE WHEN r.features & 0x10 THEN coalesce(e.run_errno, 0) ELSE e.run_errno END
  END AS run_errno,
  CASE
    WHEN e.flags & 0x10000
      THEN coalesce(
        (SELECT group_concat(k.name, ',') FROM kvm_requests k WHERE e.requests >> k.number & 1),
        ''
      )
  END AS request_names
-- CROSS: table exit is the outer loop, so that its order needs no sorting.
FROM exit e
CROSS JOIN vcpu c ON c.id = e.vcpu
JOIN vm m ON m.id = c.vm_id
JOIN run r ON r.id = m.run_id
LEFT JOIN exit_reason x
  ON x.isa = r.isa AND x.number = CASE r.isa WHEN 1 THEN e.reason & 0xffff ELSE e.reason END
WHERE m.run_id = ?1
  AND e.rowid > ?4
ORDER BY e.rowid
LIMIT ?5
