top-exits --run 3
