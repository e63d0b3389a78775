symbols --run 1 nosuch
