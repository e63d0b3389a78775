top-exits --run 1 --from 2s --to 1s
