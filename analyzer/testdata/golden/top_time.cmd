top-exits --run 1 --sort time --limit 3
