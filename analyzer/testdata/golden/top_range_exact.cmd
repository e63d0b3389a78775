top-exits --run 1 --from 0.6s --to 700ms --exact
