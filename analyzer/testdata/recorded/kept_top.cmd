top-exits --run kept
