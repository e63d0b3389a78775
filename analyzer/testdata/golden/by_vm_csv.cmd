top-exits --run 1 --by vm --sort halted --format csv
