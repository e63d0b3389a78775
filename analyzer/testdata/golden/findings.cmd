findings --run 1
