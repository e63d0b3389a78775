slowest --run ept --limit 5 --around 1
