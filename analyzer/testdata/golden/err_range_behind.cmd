top-exits --run 1 --from 10s
