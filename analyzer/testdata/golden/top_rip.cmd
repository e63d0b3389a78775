top-exits --run 1 --by rip --limit 5
