top-exits --run shadow --format json --limit 2
