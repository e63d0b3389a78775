-- Whatever the judge of testbed/witness compared: the fields of each record with what the CPU says
-- of that exit. A fault need not be of a field: order, gaps and times are compared, too.
SELECT NULL, NULL, NULL, fields, fields - faults, faults,
  CASE WHEN faults > 0 THEN printf('%lld DIFFER FROM THE CPU, ', faults) ELSE '' END
FROM (
  SELECT
    sum(n) FILTER (WHERE name = 'fields') AS fields,
    sum(n) FILTER (WHERE name = 'faults') AS faults
  FROM crosscheck
  WHERE run_id = ?1
    AND source = 'cpu'
)
WHERE fields IS NOT NULL
