top-exits --run phases
