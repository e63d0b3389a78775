top-exits --run
