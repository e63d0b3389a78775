states --run ept
