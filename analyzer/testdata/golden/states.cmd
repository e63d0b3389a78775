states --run 1
