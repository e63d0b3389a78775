top-exits --run ept --columns nothing
