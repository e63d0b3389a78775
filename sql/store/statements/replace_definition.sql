UPDATE main.sqlite_schema
SET sql = :sql
WHERE rowid = :rowid;
