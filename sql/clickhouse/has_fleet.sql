-- 1: push --create was here, and made what fleet asks.
SELECT count() FROM system.tables WHERE database = 'exitscope_fleet' AND name = 'present'
