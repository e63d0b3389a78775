sql "SELECT 1 AS a, NULL AS b, x'0102' AS c; SELECT 'x,\"y' AS t" --format json
