-- The first and last rowid of all exits, and the least and greatest vcpu.id of run ?1.
SELECT
  coalesce((SELECT min(rowid) FROM exit), 0),
  coalesce((SELECT max(rowid) FROM exit), 0),
  coalesce(min(vcpu), 0),
  coalesce(max(vcpu), 0)
FROM coverage
WHERE run = ?1
