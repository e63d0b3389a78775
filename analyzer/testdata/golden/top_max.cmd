top-exits --run 1 --sort max --limit 2
