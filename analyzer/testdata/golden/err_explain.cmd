explain --run 1 '!HLT'
