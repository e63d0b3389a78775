top-exits --run 1 --by pcpu --reason HLT
