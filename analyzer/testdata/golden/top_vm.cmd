top-exits --run 1 --vm 4712
