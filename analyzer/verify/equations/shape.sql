-- Exits that can't occur without EPT.
, without_ept AS (
  SELECT ept
  FROM run
  WHERE id = ?1
    AND ?2 = 1
    AND ept IN ('N', '0')
)
SELECT NULL, NULL, h.reason, sum(h.n), 0, sum(h.n), 'can not occur with ept=' || ept || ', '
FROM held h, without_ept
WHERE h.reason IN (48, 49)
GROUP BY h.reason
UNION ALL
SELECT NULL, NULL, NULL, 0, 0, 0, 'no EPT exits with ept=' || ept || ', '
FROM without_ept
WHERE NOT EXISTS (SELECT 1 FROM held WHERE reason IN (48, 49))
