top-exits --run 1 --by vm
