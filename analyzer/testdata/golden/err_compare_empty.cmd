compare 1 3
