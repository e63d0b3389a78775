timeline --run 1
