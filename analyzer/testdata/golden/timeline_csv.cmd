timeline --run 4 --limit 5 --format csv
