sequences --run 1 --limit 5
