list --run 5 --format csv --limit 2
