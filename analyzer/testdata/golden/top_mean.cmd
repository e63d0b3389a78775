top-exits --run 1 --sort mean --limit 2
