-- Between two tables of the same definition SQLite copies rows without decoding them (rows.c).
INSERT INTO main.exit
SELECT * FROM batch.exit;
