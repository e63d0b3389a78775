-- How many servers have answered, and how many there are.
SELECT present, servers
FROM (SELECT 1 AS one, toUInt64(count()) AS present FROM exitscope_fleet.present) AS p
ANY LEFT JOIN (SELECT 1 AS one, servers FROM exitscope_fleet.expected) AS e USING (one)
