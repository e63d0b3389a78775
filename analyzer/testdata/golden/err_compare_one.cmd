compare 1
