-- Exits with all their columns. The filter of where.h takes the place after WHERE.
SELECT x.*
FROM exit e
JOIN exits x ON x.id = e.rowid
WHERE %s
ORDER BY e.rowid
