compare 1 1
