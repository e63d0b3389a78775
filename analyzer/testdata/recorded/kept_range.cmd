sequences --run kept --to 1s
