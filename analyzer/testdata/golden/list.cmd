list --run 1 --limit 3
