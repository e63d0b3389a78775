slowest --run 1 --around x
