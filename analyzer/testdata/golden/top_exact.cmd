top-exits --run ept --exact
