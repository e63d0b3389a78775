top-exits --run nothere
