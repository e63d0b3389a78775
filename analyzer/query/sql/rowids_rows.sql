-- The same by the rows ?6 to ?7; ?4: TSC at the run's start, ?5: cycles of an interval.
SELECT count(*)
FROM exit
WHERE rowid BETWEEN ?6 AND ?7
  AND (tsc - ?4) / ?5 BETWEEN ?2 AND ?3
  AND vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1)
