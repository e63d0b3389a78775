sql "SELECT reason_name, count(*), percentile(ns, 99), max(rip) FROM exits WHERE run = 1 GROUP BY 1 ORDER BY 2 DESC"
