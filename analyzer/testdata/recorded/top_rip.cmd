top-exits --run ept --by rip --limit 10
