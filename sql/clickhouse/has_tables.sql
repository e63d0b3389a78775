-- 1: push --create was here.
SELECT count() FROM system.tables WHERE database = 'exitscope' AND name = 'exit'
