compare 1 2 --run 1
