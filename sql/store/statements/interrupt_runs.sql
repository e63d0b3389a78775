-- Runs whose writer is dead: they end with the last exit that was written.
UPDATE run
SET
  state = 'interrupted',
  tsc_end = (
    SELECT max(u.last_tsc)
    FROM exit_rollup u
    JOIN vcpu c ON c.id = u.vcpu
    JOIN vm m ON m.id = c.vm_id
    WHERE m.run_id = run.id
  )
WHERE state = 'recording';
