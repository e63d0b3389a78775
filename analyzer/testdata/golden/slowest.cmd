slowest --run 1 --limit 3 --around 1
