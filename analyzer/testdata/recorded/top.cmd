top-exits --run ept
