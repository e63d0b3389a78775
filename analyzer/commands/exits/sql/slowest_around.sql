-- Exit ?1 and the ?2 exits of its vCPU before and after it, which are the last and first ones by
-- rowid. In the order of the columns after RANK; the last one is the exit's id.
WITH
  before AS (
    SELECT rowid AS id
    FROM exit
    WHERE rowid < ?1
      AND vcpu = (SELECT vcpu FROM exit WHERE rowid = ?1)
    ORDER BY rowid DESC
    LIMIT ?2
  ),
  after AS (
    SELECT rowid AS id
    FROM exit
    WHERE rowid > ?1
      AND vcpu = (SELECT vcpu FROM exit WHERE rowid = ?1)
    ORDER BY rowid
    LIMIT ?2
  )
SELECT
  tsc,
  vm,
  vcpu_id,
  pcpu,
  seq,
  reason_name,
  key_text,
  cycles,
  handler_cycles,
  halted_cycles,
  userspace_cycles,
  preempted_cycles,
  rip,
  user_reason_name,
  printf('%x', qualification),
  ltrim(
    CASE WHEN fastpath THEN ',fastpath' ELSE '' END
      || CASE WHEN nested THEN ',nested' ELSE '' END
      || CASE WHEN synthesized THEN ',synthesized' ELSE '' END
      || CASE WHEN no_reentry THEN ',no_reentry' ELSE '' END
      || CASE WHEN tsc_back THEN ',tsc_back' ELSE '' END
      || CASE WHEN reason_flags <> '' THEN ',' || reason_flags ELSE '' END,
    ','
  ),
  id
FROM exits
WHERE id IN (SELECT ?1 UNION ALL SELECT id FROM before UNION ALL SELECT id FROM after)
ORDER BY id
