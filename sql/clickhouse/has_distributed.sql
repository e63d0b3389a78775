-- 1: push --create --cluster was here: the views of exitscope_fleet ask all servers.
SELECT count()
FROM system.tables
WHERE database = 'exitscope_fleet' AND name = 'present' AND engine = 'Distributed'
