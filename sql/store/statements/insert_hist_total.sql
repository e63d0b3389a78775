INSERT INTO exit_hist_total
VALUES (?, ?, ?, ?, ?);
