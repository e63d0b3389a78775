top-exits --run 2 --cycles
