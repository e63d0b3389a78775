states --run 1 --reason HLT
