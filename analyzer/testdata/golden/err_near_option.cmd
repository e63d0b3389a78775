top-exits --reson 3
