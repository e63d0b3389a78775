top-exits --sort colour
