INSERT OR REPLACE INTO exit_hist_packed
VALUES (?, ?, ?, ?, ?);
