-- The same in a database of their own, from the one that is attached as run.
CREATE TABLE main.exits AS
SELECT x.*
FROM exit e
JOIN temp.exits x ON x.id = e.rowid
WHERE %s
ORDER BY e.rowid
