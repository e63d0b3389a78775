sql "SELECT 'x,\"y' AS t, 0.5 AS u" --format csv
