top-exits --run 99
