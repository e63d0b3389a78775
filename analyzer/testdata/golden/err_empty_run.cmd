top-exits
