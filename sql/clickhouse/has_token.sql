-- 1: the server knows tokens of inserts (from 22.2 on).
SELECT count() FROM system.settings WHERE name = 'insert_deduplication_token'
