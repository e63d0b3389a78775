slowest --run kept --limit 2
