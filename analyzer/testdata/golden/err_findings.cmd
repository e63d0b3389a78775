findings --run 1 --reason HLT
