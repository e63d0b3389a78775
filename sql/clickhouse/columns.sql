-- The columns that a server's tables have: none before push --create was there.
SELECT table, name, type FROM system.columns WHERE database = 'exitscope'
